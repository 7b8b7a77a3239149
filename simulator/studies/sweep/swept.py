"""What a sweep found out: every point's estimates in one Dataset, outcomes with their errors, the failed points."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.accessors import Accessor
from simulator.results import Result, netcdf
from simulator.results.arrays import Group, Named
from simulator.results.errors import ResultError
from simulator.results.tree import dataset

if TYPE_CHECKING:
    import xarray

    from simulator.studies.sweep.outcomes import Outcome, Wanted

FORMAT = "als-simulator sweep 1"
SWEEP_FILE = "sweep.nc"
ALONG_POINT = ("point",)


class Failure(NamedTuple):
    """A point that could not be simulated, what it set, and why."""

    point: int
    settings: dict[str, Any]
    message: str


class Sweep:
    """The points of a sweep. `group` holds the arrays by name, `attrs` says what was run.

    `data` is one `xarray.Dataset` with dimension `point` and, along it, every address as a coordinate.
    """

    plot = Accessor()

    def __init__(self, attrs: dict[str, Any], group: Group) -> None:
        self.attrs, self.group = attrs, group

    @cached_property
    def data(self) -> xarray.Dataset:
        """Everything as an `xarray.Dataset`."""
        made = dataset(self.group)
        made.attrs.update(self.attrs)
        return made

    @property
    def title(self) -> str:
        """Title of the scenario."""
        return str(self.attrs["title"])

    @property
    def n_points(self) -> int:
        """Number of points, failed ones too."""
        return len(self.group["point"].values)

    @property
    def n_patients(self) -> int:
        """Patients of each arm in each replicate of a point."""
        return int(self.attrs["n_patients"])

    @property
    def replicates(self) -> int:
        """Replicates of each point."""
        return int(self.attrs["replicates"])

    @property
    def seed(self) -> int:
        """Seed of the random numbers."""
        return int(self.attrs["seed"])

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms of all points."""
        return tuple(str(name) for name in self.group["arm"].values)

    @property
    def time(self) -> np.ndarray:
        """Days since baseline."""
        return self.group["time"].values

    @property
    def addresses(self) -> tuple[str, ...]:
        """What was varied."""
        return tuple(json.loads(self.attrs["addresses"]))

    def label(self, address: str) -> str:
        """The name of what was varied: the scenario's, or the last words of the address."""
        from simulator.studies.sweep.showing import short

        return str(json.loads(self.attrs["labels"]).get(address) or short(address))

    @property
    def points(self) -> list[dict[str, Any]]:
        """What each point set; what it left alone is there as the scenario has it."""
        columns = {address: self.values(address).tolist() for address in self.addresses}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    @property
    def failures(self) -> list[Failure]:
        """Points that failed."""
        return [Failure(*one) for one in json.loads(self.attrs["failures"])]

    @property
    def scenario_sha256(self) -> str:
        """Hash of the scenario that was varied."""
        return str(self.attrs["scenario_sha256"])

    def values(self, address: str) -> np.ndarray:
        """What an address was in each point : (n_points,), sections as JSON."""
        return self.group[address.replace("/", "|")].values

    def result(self, point: int, replicate: int = 0) -> Result:
        """One point as a result in summary mode, without SDs and quantiles; what a failed point found is NaN."""
        summary = {
            name: _one(array, point, replicate)
            for name, array in self.group.items()
            if array.dims not in (ALONG_POINT, ("replicate",))
        }
        attrs = {**self.attrs, "analysis_days": "[]", "warnings": "[]", "output": "summary"}
        return Result(lambda: attrs, {"summary": summary})

    def outcome(self, metric: str, arm: str, against: str = "", day: float | None = None) -> Outcome:
        """A metric of an arm in every point, or its difference from another arm, with Monte Carlo errors.

        Parameters
        ----------
        metric : str
            A metric of the headline (`event_free_months`, `alsfrs_r_change_death0`, …) or a variable of `data` that
            has an error beside it (`alsfrs_r_death0_mean`, `event_free_time_mean`, …).
        arm, against : str
            The outcome is of `arm`, or of `arm` minus `against` in the same people.
        day : float, optional
            Days since baseline; the nearest day that is there. The last by default.
        """
        from simulator.studies.sweep.outcomes import outcome

        return outcome(self, metric, (arm, against), day)

    def outcomes(self, wanted: Sequence[Wanted] | None = None) -> list[Outcome]:
        """The outcomes that the scenario's block asks for; without one, the usual ones of every arm."""
        from simulator.studies.sweep.outcomes import outcomes

        return outcomes(self, wanted)

    def __repr__(self) -> str:
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"<Sweep {self.title!r}: {self.n_points} points{failed}, {', '.join(self.addresses)}>"

    def _repr_html_(self) -> str:
        from simulator.studies.sweep.showing import html

        return html(self)


def _one(array: Named, point: int, replicate: int) -> Named:
    """The part of an array that belongs to one point."""
    dims, values = array.dims, array.values
    for dim, index in (("point", point), ("replicate", replicate)):
        if dim in dims:
            values = np.take(values, index, axis=dims.index(dim))
            dims = tuple(one for one in dims if one != dim)
    return Named(dims, values, array.attrs)


def open_sweep(path: str | Path) -> Sweep:
    """Read a sweep from its file, or from its folder."""
    place = Path(path)
    if place.is_dir():
        place = place / SWEEP_FILE
    if not place.exists():
        raise ResultError(f"{place}: there is no such file; `als-sim sweep SCENARIO -o DIR` makes one, or finishes it")
    netcdf.check_is_netcdf(place)
    attrs, groups = netcdf.read(place)
    if attrs.get("format") != FORMAT:
        raise ResultError(f"{place}: a netCDF file, but not a sweep of this program ({FORMAT!r})")
    return Sweep(attrs, groups[netcdf.ROOT])
