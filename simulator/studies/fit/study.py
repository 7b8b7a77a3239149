"""A fit: from a data set and a scenario to parameters, their errors, an ensemble and a fitted scenario."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.lines import METHODS
from simulator.datasets import Dataset, Note
from simulator.datasets.reading import read_data
from simulator.datasets.tidy import as_lines
from simulator.engine.compiling import cores
from simulator.errors import UsageError
from simulator.results.files import digest, read_json, sealed_text, text_writer, write_all
from simulator.results.folder import check_folder
from simulator.results.kinds import FIT
from simulator.run import SEED
from simulator.studies.fit import newton
from simulator.studies.fit.assembling import FitInput, result
from simulator.studies.fit.hazard import is_by_truth
from simulator.studies.fit.linear import fit_linear, refuse_unread
from simulator.studies.fit.parameters import choose, started
from simulator.studies.fit.people import People, people
from simulator.studies.fit.pool import crowd_scenario
from simulator.studies.fit.posterior import Summary, summarise
from simulator.studies.fit.result import Fit
from simulator.studies.fit.surface import BATCHES, Setting
from simulator.studies.twins.cohort import unread
from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

Floats = NDArray[np.float64]
CROWD, LEAST_CROWD, MOST_CROWD = 65_536, 4_096, 2_097_152
DRAWS, MOST_DRAWS, MOST_FOLDS = 200, 2_000, 20


class FitOptions(NamedTuple):
    """What is asked of a fit; see `fit`."""

    free: tuple[str, ...] = ()
    fix: tuple[str, ...] = ()
    prior: str = "catalog"
    given: str = "nothing"
    arms: tuple[str, ...] = ()
    folds: int = 0
    draws: int = DRAWS
    crowd: int = CROWD
    steps: int = newton.MOST_STEPS
    method: str = "reml"


def fit(
    data: Dataset | str | Path | Sequence[str | Path],
    scenario: Scenario,
    *,
    free: Sequence[str] = (),
    fix: Sequence[str] = (),
    prior: str = "catalog",
    given: str = "nothing",
    arms: Sequence[str] = (),
    folds: int = 0,
    draws: int = DRAWS,
    crowd: int = CROWD,
    steps: int = newton.MOST_STEPS,
    method: str = "reml",
    seed: int | None = None,
    threads: int | None = None,
    folder: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    begin: Callable[[dict[str, Any]], None] | None = None,
) -> Fit:
    """Population parameters from measurements of individuals, by the exact likelihood of what was measured.

    Parameters
    ----------
    data : a data set, or files for `read_data`.
    scenario : Scenario
        The model, the start of the fit, and whatever is not fitted. Courses without treatment are fitted.
    free, fix : addresses to fit beside the usual ones, and of those to hold. An address that ends with `*` stands for
        all that begin so.
    prior : `catalog`, or `none` for maximum likelihood.
    given : `nothing`; `baseline`: what was measured on day 0 is taken as known, and only what follows is explained; or
        a later day, likewise.
    arms : those of the data whose participants are fitted, all by default.
    folds : parts of the people for a cross-validated log-likelihood; 0: none.
    draws : vectors of the ensemble.
    crowd : simulated people behind the likelihood.
    steps : the most steps uphill; 0: the likelihood of the scenario as it is.
    method : `reml` or `ml`, of the model `linear`, whose likelihood is Gaussian and is not simulated.
    seed : of the random numbers; 1 by default.
    threads : the machine's cores by default.
    folder : where steps are kept, from which an interrupted fit goes on.
    progress : called with (steps done, the most there can be).
    begin : called once what is asked is found to be possible, before the first step.

    Returns
    -------
    Fit
        Estimates, errors, likelihoods of everybody, shrinkage, ensemble; `found.fitted_yaml` is the scenario.

    Raises
    ------
    DataError
        The files cannot be used as they are.
    UsageError
        Nothing can be fitted, or what is asked is out of range.

    Examples
    --------
    >>> import simulator as sim
    >>> found = sim.fit("trial/", sim.load("generic_als"))  # doctest: +SKIP
    >>> found.parameters[0].estimate, found.log_likelihood  # doctest: +SKIP
    """
    if not isinstance(data, Dataset):
        data = read_data(*([data] if isinstance(data, str | Path) else data))
    asked = FitOptions(
        tuple(free), tuple(fix), prior, given, tuple(arms), int(folds), int(draws), int(crowd), int(steps), method
    )
    _check(asked)
    seed, threads = SEED if seed is None else seed, cores() if threads is None else threads
    day = given_day(given)
    found = people(data, scenario, asked.arms, day or 0)
    if asked.folds > found.n:
        raise UsageError(f"{asked.folds} folds are more than the {found.n} people. Choose fewer")
    if scenario.progression.model == "linear":
        refuse_unread(asked, FitOptions())
        told = [*data.notes, *found.notes, *_left(scenario, found)]
        return fit_linear(FitInput(data, scenario, asked._asdict() | {"seed": seed}, found, seed, told), method, draws)
    if method != FitOptions().method:
        raise UsageError(f"the method {method} is of the model linear, and the scenario's is simulated. Leave it out")
    base, notes = crowd_scenario(scenario, found)
    chosen = choose(base, found.there, asked.fix, asked.free, asked.prior)
    setting = Setting(base, chosen, found, asked.crowd // BATCHES * BATCHES, seed, threads, day)
    if begin:
        begin({"title": f"Fit of {scenario.title} to {data.name}", "scenario_sha256": scenario.sha256})
    kept = _kept(folder, scenario, asked, seed, data)
    last, made = _climbed(setting, asked, kept, folder, progress)
    summary = summarise(setting._replace(hard=frozenset(last.hard)), last.t, started(chosen), asked.steps > 0,
                        folds=asked.folds, draws=asked.draws)  # fmt: skip
    told = [
        *data.notes,
        *found.notes,
        *unread(data),
        *notes,
        *_left(scenario, found),
        *_short(setting, summary, asked),
    ]
    return result(FitInput(data, scenario, asked._asdict() | {"seed": seed}, found, seed, told), setting, summary, made)


def _climbed(
    setting: Setting,
    asked: FitOptions,
    kept: Kept,
    folder: str | Path | None,
    progress: Callable[[int, int], None] | None,
) -> tuple[newton.Step, list[newton.Step]]:
    """The last step, and all."""
    made = list(kept.steps)
    total = asked.steps + 1

    def tell(one: newton.Step) -> None:
        made.append(one)
        if folder is not None:
            _write(Path(folder), kept.key, len(made), one)
        if progress:
            progress(len(made), total)

    if progress:
        progress(len(made), total)
    return newton.ascend(setting, started(setting.free), kept=list(made), tell=tell, most=asked.steps), made


class Kept(NamedTuple):
    """Steps of an earlier call, and the checksum of what they belong to."""

    key: str
    steps: tuple[newton.Step, ...]


def _kept(folder: str | Path | None, scenario: Scenario, asked: FitOptions, seed: int, data: Dataset) -> Kept:
    """Steps of the same fit in a folder, as far as they are whole."""
    lines = {name: digest({"lines": own}) for name, own in as_lines(data).items()}
    numbers = {key: value for key, value in asked._asdict().items() if key not in ("folds", "draws", "steps")}
    key = digest({"scenario": scenario.sha256, "asked": numbers, "seed": seed, "data": lines, "version": __version__})
    found: list[newton.Step] = []
    if folder is not None:
        check_folder(Path(folder), FIT, force=True)
        while (one := _read(Path(folder), key, len(found) + 1)) is not None and len(found) < asked.steps:
            found.append(one)
    return Kept(key, tuple(found))


def _place(folder: Path, number: int) -> Path:
    return folder / FIT.work[0] / f"{number:03d}.json"


def _write(folder: Path, key: str, number: int, one: newton.Step) -> None:
    content = {**one._asdict(), "t": one.t.tolist(), "key": key}
    place = _place(folder, number)
    write_all(place.parent, [(place.name, text_writer(sealed_text(content)))])


def _read(folder: Path, key: str, number: int) -> newton.Step | None:
    content = read_json(_place(folder, number))
    if content.pop("sha256", None) != digest(content) or content.pop("key", None) != key:
        return None
    return newton.Step(np.array(content.pop("t")), hard=tuple(content.pop("hard")), **content)


def _check(asked: FitOptions) -> None:
    for name, value, low, high in (
        ("people of the crowd", asked.crowd, LEAST_CROWD, MOST_CROWD),
        ("draws", asked.draws, 1, MOST_DRAWS),
        ("steps", asked.steps, 0, 200),
    ):
        if not low <= value <= high:
            raise UsageError(f"{value:,} {name} are out of range. Choose {low:,} to {high:,}")
    if asked.folds and not 2 <= asked.folds <= MOST_FOLDS:
        raise UsageError(f"{asked.folds} folds are out of range. Choose 0 or 2 to {MOST_FOLDS}")
    if asked.method not in METHODS:
        raise UsageError(f"there is no method {asked.method!r}. Choose {' or '.join(METHODS)}")
    given_day(asked.given)


def given_day(given: str) -> int | None:
    """The day until which what was measured is taken as known; None: nothing is."""
    if given == "nothing":
        return None
    day = "0" if given == "baseline" else given
    if not (day.isascii() and day.isdigit()):
        raise UsageError(f"nothing can be given {given!r}. Choose nothing, baseline, or a day such as 120")
    return int(day)


def _short(setting: Setting, summary: Summary, asked: FitOptions) -> list[Note]:
    """Where the data or the posterior fall short of what was asked."""
    notes = []
    if asked.steps and len(summary.draws) < asked.draws:
        fact = f"of {asked.draws:,} asked for: hardly any other is a valid scenario"
        notes.append(Note(len(summary.draws), "vectors of the ensemble", fact))
    if is_by_truth(setting.scenario) and not setting.people.dropped.any():
        notes.append(
            Note(0, "participants", "are known to have left, so dropout by the truth is told by staying alone")
        )
    return notes


def _left(scenario: Scenario, found: People) -> list[Note]:
    """Who was set aside, and what of the scenario says nothing to a fit."""
    notes = []
    reasons: dict[str, int] = {}
    for _, reason in found.set_aside:
        short = (
            reason if "at baseline" not in reason else "measured at baseline outside the scenario's rule of eligibility"
        )
        reasons[short] = reasons.get(short, 0) + 1
    notes += [Note(number, "participants", f"set aside: {reason}") for reason, number in reasons.items()]
    if scenario.strata is not None:
        notes.append(
            Note(len(scenario.strata), "strata", "belong to the design of a trial, not read: all are one population")
        )
    return notes
