"""Opening what a command left, whatever kind of study it is."""

from __future__ import annotations

from pathlib import Path

from simulator import plugins
from simulator.results.errors import NotARunError, ResultError
from simulator.results.files import read_json, read_netcdf, sha256
from simulator.results.folder import kind_of
from simulator.results.kinds import KINDS, RUN, Kind, imported
from simulator.results.study import StudyResult
from simulator.results.tree import Result


def open_study(path: str | Path, lazily: bool = False) -> StudyResult:
    """Open the result of a study: a `Result`, a `Trial`, a `Sweep`, a `Sensitivity` or a `Decided`.

    Parameters
    ----------
    path : str or Path
        Its folder or its file.
    lazily : bool
        Read each group of a netCDF file when it is first asked for; the file must stay.

    Returns
    -------
    StudyResult
        Of the class of its kind.

    Raises
    ------
    ResultError
        There is none, or it is damaged; the message says which.

    Examples
    --------
    >>> import simulator as sim
    >>> scenario = sim.load("analytic/constant_hazard")
    >>> sim.simulate(scenario, patients=20).save("a.nc")
    >>> sim.open("a.nc").n_patients
    20
    """
    plugins.load()
    place = Path(path)
    kind = kind_of(place) or _by_file(place) or RUN if place.is_dir() else None
    found = _open(place, kind, lazily)
    found.note_file(sha256(place / kind.file if kind else place))
    return found


def _open(place: Path, kind: Kind | None, lazily: bool) -> StudyResult:
    """Open a folder of this kind, or a file where there is none."""
    if kind is not None:
        if lazily and kind.file.endswith(".nc"):
            return _open_netcdf(place / kind.file, kind, lazily)
        found: StudyResult = imported(kind.made).read(place / kind.file)
        return found
    named = next((kind for kind in KINDS if place.name == kind.file or place.suffix == Path(kind.file).suffix), RUN)
    if named.file.endswith(".nc"):
        return _open_netcdf(place, named, lazily)
    form = read_json(place).get("format")
    named = next((kind for kind in KINDS if kind.format == form), named)
    opened: StudyResult = imported(named.made).read(place)
    return opened


def _by_file(folder: Path) -> Kind | None:
    """The kind of a folder without a manifest, by the files in it."""
    return next((kind for kind in KINDS if (folder / kind.file).is_file()), None)


def _open_netcdf(place: Path, named: Kind, lazily: bool) -> StudyResult:
    """A netCDF file of any kind: its name may be anybody's, what it holds is inside."""
    kinds = [named, *(kind for kind in KINDS if kind is not named and kind.file.endswith(".nc"))]
    attrs, groups = read_netcdf(place, kinds, lazily)
    kind = next(kind for kind in kinds if kind.format == attrs["format"])
    found: StudyResult = imported(kind.made)(attrs, groups)
    return found


def open_run(path: str | Path, lazily: bool = False) -> Result:
    """Open the `Result` of a run from its file or folder, for what takes nothing else; `lazily` as for `open_study`.

    Raises
    ------
    NotARunError
        The result of something else is there.
    ResultError
        There is none, or it is damaged.
    """
    found = open_study(path, lazily)
    if isinstance(found, Result):
        return found
    folder = Path(path) if Path(path).is_dir() else Path(path).parent
    remedy = f"Name the folder of an `als-sim run`; `als-sim show {folder} --json` prints the numbers of this one"
    if found.kind.name == "trial":
        remedy += ", and `als-sim trial SCENARIO --replicate 0 -o DIR` makes a run of a replicate"
    raise NotARunError(f"{path} is the result of {found.kind.title}, not of a run. {remedy}")


__all__ = ["ResultError", "open_run", "open_study"]
