"""Twins of a cohort: from a data set and a scenario to everybody's courses."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.datasets import Dataset, Note
from simulator.datasets.reading import read_data
from simulator.datasets.tidy import as_lines, from_lines
from simulator.engine.compiling import cores
from simulator.errors import UsageError
from simulator.results.arrays import Group, Named, arm_coordinate, names_of, time_coordinates
from simulator.results.folder import default_folder
from simulator.results.kinds import TWINS
from simulator.run import SEED, check_memory
from simulator.studies.twins.cohort import MATCHED, Cohort, cohort, unread
from simulator.studies.twins.matching import Match, Matcher, match_all
from simulator.studies.twins.pool import TRAITS, Pool, fill, joined, pool_scenario
from simulator.studies.twins.result import Twins, strings
from simulator.version import __version__, versions

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

TWINS_EACH, POOL, MOST = 2_000, 65_536, 4_194_304
ENLARGED = 4
"""So many times as many people are simulated where a participant has few and the size of the pool is not given."""
LEAST_POOL = 4_096
PER_TRAIT, PER_END, PER_TWIN, COPIES = 8, 17, 48, 5
"""Bytes of a person of the pool by trait, and by arm beside the courses; of a twin; how often the pool is held."""
COARSE = 100.0
"""Effective number below which a participant's distribution is called coarse."""


class TwinsOptions(NamedTuple):
    """What is asked of twins; see `twins`."""

    until_day: int = 0
    days: tuple[float, ...] = ()
    twins: int = TWINS_EACH
    pool: int = 0
    draws: int = 0
    outcome: str = "alsfrs_r"
    window: float = 14.0


def twins(
    data: Dataset | str | Path | Sequence[str | Path],
    scenario: Scenario,
    *,
    until_day: int = 0,
    days: Sequence[float] = (),
    twins: int = TWINS_EACH,
    pool: int = 0,
    draws: int = 0,
    outcome: str = "alsfrs_r",
    window: float = 14.0,
    seed: int | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Twins:
    """The distribution of each participant's courses, untreated and treated, given what was measured.

    Parameters
    ----------
    data : a data set, or files for `read_data`.
    scenario : Scenario
        Who the participants are simulated as, and the arms. `trial`, `attrition` and `safety` are not read.
    until_day : [d] measurements from baseline to this day are matched; the arms begin on it.
    days : [d] days on which courses are told; the planned visits by default.
    twins : twins of each participant.
    pool : simulated people among whom they are looked for, over all parameter vectors; 0: 65,536, and four times
        as many where somebody has fewer than 100 effective ones.
    draws : parameter vectors of the ensemble, in equal parts; 0: the scenario's own values.
    outcome : `alsfrs_r`, `svc`, `fvc` or `nfl_plasma`.
    window : [d] within which a measurement without a planned day belongs to a day of `days`.
    seed : of the random numbers; 1 by default.
    threads : the machine's cores by default; no number depends on it.
    progress : called with (parts done, parts in all).

    Returns
    -------
    Twins
        Courses, scores, effective numbers, and who cannot be matched, with the reason.

    Raises
    ------
    DataError
        The files cannot be used as they are.
    UsageError
        Nothing can be matched, or what is asked is out of range.

    Examples
    --------
    >>> import simulator as sim
    >>> found = sim.twins("trial/", sim.load("generic_als"), until_day=120)  # doctest: +SKIP
    >>> found.scores(365)  # doctest: +SKIP
    """
    asked = TwinsOptions(int(until_day), tuple(float(d) for d in days), twins, pool, draws, outcome, float(window))
    seed, threads = SEED if seed is None else seed, cores() if threads is None else threads
    begun = begin(data, scenario, asked)
    scenarios = _scenarios(begun.base, draws)
    filled, matches = _found(scenarios, begun.people, asked, seed=seed, threads=threads, progress=progress)
    told = [*begun.data.notes, *begun.people.notes, *unread(begun.data), *begun.notes, *_coarse(matches)]
    return _result(begun.data, scenario, asked, seed, people=begun.people, pool=filled, matches=matches, notes=told)


class Begun(NamedTuple):
    """What is known before anybody is simulated."""

    data: Dataset
    people: Cohort
    base: Scenario
    notes: list[Note]


def begin(data: Dataset | str | Path | Sequence[str | Path], scenario: Scenario, asked: TwinsOptions) -> Begun:
    """The data, who is to be matched, and the scenario of the pool; or why there can be no twins."""
    if not isinstance(data, Dataset):
        data = read_data(*([data] if isinstance(data, str | Path) else data))
    _check(asked)
    people = cohort(data, scenario, asked.until_day, asked.days, asked.outcome)
    if all(case.reason for case in people.cases):
        raise UsageError(f"nobody can be matched: {people.cases[0].reason}. Choose another --until-day or scenario")
    base, notes = pool_scenario(scenario, people, asked.outcome)
    check_memory(bytes_of(base, people, asked), "twins need", "Ask for a smaller --pool, or fewer --twins or --draws")
    return Begun(data, people, base, notes)


def _scenarios(base: Scenario, draws: int) -> list[Scenario]:
    """The scenario of the pool, at each parameter vector."""
    from simulator.studies.calibrate.apply import drawn_settings

    return [base.replace(own) for own in drawn_settings(base, draws)] if draws else [base]


def _found(
    scenarios: Sequence[Scenario],
    people: Cohort,
    asked: TwinsOptions,
    *,
    seed: int,
    threads: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[Pool, list[Match]]:
    """The pool and the twins of everybody; the pool is enlarged once for those who have few."""
    size = size_of(asked)
    how: Any = {"threads": threads, "progress": progress}
    pool = fill(scenarios, people, asked.outcome, range(size), seed=seed, **how)
    found = match_all(Matcher(pool, scenarios[0], people), range(len(people.cases)), asked.twins, seed, **how)
    few = [k for k, one in found.items() if not people.cases[k].reason and one.effective < COARSE]
    if few and not asked.pool:
        more = fill(scenarios, people, asked.outcome, range(size, ENLARGED * size), seed=seed, **how)
        pool = joined([pool, more])
        found |= match_all(Matcher(pool, scenarios[0], people), few, asked.twins, seed, **how)
    return pool, [found[k] for k in range(len(people.cases))]


def folder_of(found: Twins) -> Path:
    """The folder that twins go to when none is named."""
    lines = map(str, found.groups["data_measurements"]["line"].values)
    return folder_named(found.scenario_name, found.scenario_sha256, "".join(lines), found.arguments)


def folder_named(name: str, sha256: str, measurements: str, arguments: dict[str, Any]) -> Path:
    """The folder of twins under a scenario, of lines of measurements, with arguments."""
    key = {"scenario": sha256, "arguments": arguments, "data": measurements, "version": __version__}
    return default_folder(f"{name}-twins", key)


def arguments_of(asked: TwinsOptions, seed: int) -> dict[str, Any]:
    """What a result keeps of what was asked."""
    return {**asked._asdict(), "days": list(asked.days), "seed": seed}


def again(stored: Any, scenario: Scenario, threads: int | None, progress: Any, study: Callable[..., Any]) -> Any:
    """The study that a stored result came from, twins or a fit, on the data that it holds."""
    data = stored_data(stored)
    data = data._replace(
        notes=tuple(Note(*one) for one in json.loads(stored.attrs["data_notes"])),
        files=tuple((name, digest) for name, digest in json.loads(stored.attrs.get("data_files", "[]"))),
    )
    return study(data, scenario, **stored.arguments, threads=threads, progress=progress)


def _check(asked: TwinsOptions) -> None:
    for name, value, low, high in (
        ("twins", asked.twins, 10, 100_000),
        ("people of the pool", asked.pool or POOL, LEAST_POOL, MOST),
        ("draws", asked.draws, 0, 10_000),
    ):
        if not low <= value <= high:
            raise UsageError(f"{value:,} {name} are out of range. Choose {low:,} to {high:,}")


def size_of(asked: TwinsOptions) -> int:
    """People of the pool under each parameter vector, before it is enlarged."""
    return max((asked.pool or POOL) // max(asked.draws, 1), LEAST_POOL)


def bytes_of(base: Scenario, people: Cohort, asked: TwinsOptions) -> int:
    """Memory of the pool, enlarged where it may be, and of everybody's twins."""
    pool = size_of(asked) * max(asked.draws, 1) * (1 if asked.pool else ENLARGED)
    each = (
        len(base.arms) * (8 * len(people.days) + PER_END)
        + PER_TRAIT * len(TRAITS)
        + 4 * len(people.past) * len(MATCHED)
    )
    return COPIES * pool * each + PER_TWIN * len(people.cases) * asked.twins


def _coarse(matches: Sequence[Match]) -> list[Note]:
    few = sum(not match.reason and match.effective < COARSE for match in matches)
    fact = f"fewer than {COARSE:g} effective people behind the twins: a coarse distribution. A larger pool helps"
    return [Note(few, "participants", fact)] if few else []


def _result(
    data: Dataset,
    scenario: Scenario,
    asked: TwinsOptions,
    seed: int,
    *,
    people: Cohort,
    pool: Pool,
    matches: Sequence[Match],
    notes: Sequence[Note],
) -> Twins:
    """Everything under its names; of the pool only those who are somebody's twins."""
    member = np.stack([match.twins for match in matches])
    used = np.unique(member[member >= 0])
    place = np.searchsorted(used, np.maximum(member, 0)).astype(np.int32)
    groups = {
        "participants": _participants(data, people, matches, asked.outcome),
        "pool": _pool(scenario, people, pool, used),
        "chosen": {"member": Named(("participant", "twin"), np.where(member < 0, -1, place), _words("position"))},
        "history": _history(data, asked.outcome),
        "observed": {"value": Named(("participant", "time"), _observed(data, people, asked), _words(asked.outcome))},
        **{f"data_{name}": strings(lines) for name, lines in as_lines(data).items()},
    }
    return Twins(_attrs(data, scenario, asked, seed, people=people, notes=notes), groups)


def _words(name: str, unit: str = "1") -> dict[str, Any]:
    return {"units": unit, "long_name": name}


def _participants(data: Dataset, people: Cohort, matches: Sequence[Match], outcome: str) -> Group:
    """A column for each field of `Participant`."""
    who, n = data.participants, data.n
    first, last, last_day = np.full((3, n), np.nan)
    of = data.measurements[outcome]
    for k in np.lexsort((-of.day,)):  # the earliest is written last
        if 0 <= of.day[k] <= people.until:
            first[of.person[k]] = of.value[k]
    for k in np.argsort(of.day, kind="stable"):
        if 0 <= of.day[k] <= people.until:
            last[of.person[k]], last_day[of.person[k]] = of.value[k], of.day[k]
    columns: dict[str, Any] = {
        "id": who.id,
        "arm": who.arm,
        "matched": np.array([not match.reason for match in matches], np.int8),
        "effective": np.array([match.effective for match in matches]),
        "share": np.array([match.share for match in matches]),
        "first": first,
        "last": last,
        "last_day": last_day,
        "months_since_onset": who.months_since_onset,
        "treatment_start_day": who.treatment_start_day,
        "end": people.end,
        "event": people.event.astype(np.int8),
        "reason": names_of(tuple(match.reason for match in matches)),
    }
    return {name: Named(("participant",), np.asarray(one), _words(name)) for name, one in columns.items()}


def _pool(scenario: Scenario, people: Cohort, pool: Pool, used: np.ndarray) -> Group:
    def each(values: np.ndarray, name: str, *dims: str) -> Named:
        return Named(("arm", "member", *dims), np.ascontiguousarray(values[:, used]), _words(name))

    return {
        **arm_coordinate(tuple(scenario.arms)),
        **time_coordinates(np.array(people.days, np.float64)),
        "draw": Named(("member",), pool.draw[used], _words("parameter vector")),
        "course": each(pool.course, "the outcome as if alive", "time"),
        "measured": each(pool.measured, "a measurement of it", "time"),
        "event_free_time": each(pool.ended, "death, ventilation or end of follow-up", ),
        "event": each(pool.event, "0 none, 1 death, 2 permanent ventilation"),
        "death_time": each(pool.death, "death"),
    }  # fmt: skip


def _observed(data: Dataset, people: Cohort, asked: TwinsOptions) -> np.ndarray:
    """(participant, day) what was measured for a day, or nearest to it within the window."""
    of, days = data.measurements[asked.outcome], np.array(people.days, np.float64)
    found = np.full((data.n, len(days)), np.nan)
    away = np.full((data.n, len(days)), np.inf)
    for person, day, planned, value in zip(of.person, of.day, of.planned_day, of.value, strict=True):
        if day <= people.until:
            continue
        t = int(np.abs(days - (planned if np.isfinite(planned) else day)).argmin())
        distance = abs(days[t] - day)
        fits = abs(days[t] - planned) < 1 or distance <= asked.window
        if fits and distance < away[person, t]:
            found[person, t], away[person, t] = value, distance
    return found


def _history(data: Dataset, outcome: str) -> Group:
    """Every value of the outcome: whose, [d] when, what."""
    of = data.measurements[outcome]
    columns = {"person": of.person, "day": of.day, "value": of.value}
    return {name: Named(("reading",), one, _words(name)) for name, one in columns.items()}


def stored_data(found: Any) -> Dataset:
    """The data set behind a stored result."""
    names = [name for name in ("participants", "measurements", "events") if f"data_{name}" in found.groups]
    lines = {name: [str(one) for one in found.groups[f"data_{name}"]["line"].values] for name in names}
    return from_lines(lines, str(found.attrs["data"]))


def _attrs(
    data: Dataset, scenario: Scenario, asked: TwinsOptions, seed: int, *, people: Cohort, notes: Sequence[Note]
) -> dict[str, Any]:
    untreated = next((name for name, epochs in scenario.arms.items() if not epochs), next(iter(scenario.arms)))
    return {
        "format": TWINS.format,
        "title": f"Twins of {data.name}: {scenario.title}",
        "seed": str(seed),
        "scenario": scenario.resolved_yaml(),
        "scenario_name": scenario.name,
        "scenario_sha256": scenario.sha256,
        "engine_version": __version__,
        "versions": json.dumps(versions(), sort_keys=True),
        "arguments": json.dumps(arguments_of(asked, seed), sort_keys=True),
        "warnings": json.dumps([]),
        "citations": json.dumps(scenario.citations(), ensure_ascii=False),
        "data": data.name,
        "data_files": json.dumps(data.files, ensure_ascii=False),
        "outcome": asked.outcome,
        "endpoint": people.endpoint,
        "until_day": asked.until_day,
        "draws": max(asked.draws, 1),
        "untreated": untreated,
        "data_notes": json.dumps(data.notes, ensure_ascii=False),
        "notes": json.dumps([str(note) for note in notes], ensure_ascii=False),
    }
