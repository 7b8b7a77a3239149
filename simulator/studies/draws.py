"""A run spread over the ensemble of parameter vectors: the same patients, once for each draw."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.measures.headline import headline, main_day
from simulator.results import Result
from simulator.results.arrays import Group, Groups, Lazily, Named, is_coordinate
from simulator.results.folder import check_folder, write_folder
from simulator.results.kinds import RUN
from simulator.results.tidy import DRAWN
from simulator.studies.calibrate.errors import CalibrationError
from simulator.studies.ranges import Ranges, figures_at
from simulator.studies.single_run import Request, folder_of, scenario_of

if TYPE_CHECKING:
    from simulator.language import Scenario

RAGGED = ("doses", "adverse_events", "monitoring")


Floats = NDArray[np.float64]
PER_PARAMETER = 4
"""Draws a parameter that the regression needs."""


class Spread(NamedTuple):
    """A headline figure over the draws: median, 5th and 95th percentile; `mcse` is the error of one draw.

    `assumed` is the share of its variance that rests on assumption, NaN with too few draws to tell.
    """

    metric: str
    label: str
    unit: str
    arm: str
    against: str
    group: str
    day: float
    estimate: float
    lower: float
    upper: float
    mcse: float
    digits: int
    assumed: float


class Drawn(NamedTuple):
    """A run over draws: the result with dimension `draw`, and the headline's figures."""

    result: Result
    rows: list[Spread]
    draws: int


def run_draws(request: Request, draws: int, progress: Callable[[int, int], None] | None = None) -> tuple[Drawn, Path]:
    """Simulate a scenario at so many vectors of the ensemble and write the folder."""
    scenario = scenario_of(request)
    if request.folder:
        check_folder(request.folder, RUN, request.force, scenario.sha256)
    found = simulate_draws(
        scenario,
        draws,
        progress,
        patients=request.patients,
        seed=request.seed,
        threads=request.threads,
        output=request.output,
        max_memory=request.max_memory,
    )
    folder = request.folder or folder_of(found.result).with_name(f"{folder_of(found.result).name}-draws{draws}")
    write_folder(found.result, folder, request.force)
    return found, folder


def simulate_draws(
    scenario: Scenario, draws: int, progress: Callable[[int, int], None] | None = None, **arguments: Any
) -> Drawn:
    """The same patients at the first so many vectors of the ensemble.

    Parameters
    ----------
    scenario : Scenario
        Values that differ from the catalog's calibrated ones stay as written; the others are drawn.
    draws : int
    progress : callable, optional
        Called with (draws done, draws in all).
    **arguments
        Of `simulate`.

    Raises
    ------
    CalibrationError
        More draws than vectors, a scenario of another disease or with a person.
    """
    from simulator.run import simulate
    from simulator.studies.calibrate.apply import drawn_settings

    if scenario.person is not None:
        raise CalibrationError("the twins of one person are not looked for draw by draw. Run without --draws")
    most = arguments.pop("max_memory", None)
    settings, results = list(drawn_settings(scenario, draws)), []
    for done, own in enumerate(settings):
        changed = scenario.replace(own)
        if not done:
            _check_memory(changed, draws, most, arguments)
        results.append(simulate(changed, **arguments))
        if progress:
            progress(done + 1, draws)
    return drawn(_stacked(scenario, results, settings))


def drawn(result: Result) -> Drawn:
    """A result over draws, fresh or stored, with the headline's figures."""
    from simulator.language import parse
    from simulator.studies.calibrate.apply import ensemble

    written = parse(str(result.attrs["scenario"]).encode("utf-8"), str(result.attrs["scenario_name"]))
    vectors = ensemble(written.progression.model) if written.ensemble is None else None
    each = (Result(result.attrs, _groups_of(result, number)) for number in range(result.draws))
    return Drawn(result, spread(each, vectors), result.draws)


def one_draw(result: Result, number: int) -> Result:
    """One draw as the result that a single run with its parameter vector gives.

    Parameters
    ----------
    result : Result
        A result over draws, of `als-sim run --draws`.
    number : int
        Which one, from 0.

    Returns
    -------
    Result
        Without the dimension `draw`.

    Raises
    ------
    CalibrationError
        There is no such draw.

    Examples
    --------
    >>> import simulator as sim
    >>> result = sim.open("results/valor-0123abcd")  # doctest: +SKIP
    >>> sim.one_draw(result, 0).plot.survival()  # doctest: +SKIP
    """
    if not 0 <= number < result.draws:
        has = f"has {result.draws}, numbered from 0" if result.draws else "is of one parameter vector"
        raise CalibrationError(f"there is no draw {number}: the result {has}")
    return Result(partial(_attrs_of, result, number), _groups_of(result, number))


def own_ranges(result: Result) -> Ranges:
    """The figures of a run over draws at each of its own vectors, on its main day."""
    each, day = [one_draw(result, k) for k in range(result.draws)], main_day(result)
    return Ranges(day, result.draws, result.n_patients, figures_at(each, result.arms, day))


def _check_memory(scenario: Scenario, draws: int, most: int | None, arguments: Mapping[str, Any]) -> None:
    """Refuse what would not fit: every draw is kept until the last one is done."""
    from simulator.run import check_memory, memory

    asked = {key: arguments[key] for key in ("patients", "threads", "output") if arguments.get(key) is not None}
    remedy = "Ask for fewer draws or patients, or --output summary"
    check_memory(memory(scenario, **asked) * draws, f"{draws} draws need", remedy, most)


def spread(results: Iterable[Result], vectors: NDArray[np.float64] | None) -> list[Spread]:
    """The headline's figures over draws: the first of the catalog's vectors, or (None) of the scenario's own."""
    tables = [headline(result).rows for result in results]
    found: dict[tuple[Any, ...], list[Any]] = {}
    for row in (row for table in tables for row in table):
        day = None if isnan(row.day) else row.day  # NaN is not equal to itself
        found.setdefault((row.metric, row.arm, row.against, row.group, day), []).append(row)
    return [_spread(rows, vectors) for rows in found.values()]


def _spread(rows: list[Any], vectors: NDArray[np.float64] | None) -> Spread:
    first, values = rows[0], np.array([row.estimate for row in rows])
    low, high = np.nanquantile(values, DRAWN) if np.isfinite(values).any() else (np.nan, np.nan)
    middle = float(np.nanmedian(values)) if np.isfinite(values).any() else float("nan")
    mcse = float(np.sqrt(np.mean([row.mcse**2 for row in rows])))
    where = (first.metric, first.label, first.unit, first.arm, first.against, first.group, first.day)
    share = float("nan") if vectors is None else assumed_share(values, vectors[: len(values)], vectors)
    return Spread(*where, middle, float(low), float(high), mcse, first.digits, share)


def _stacked(scenario: Scenario, results: list[Result], settings: list[dict[str, float]]) -> Result:
    """The results one above the other; provenance is that of the scenario as it was written.

    The attribute `draws` keeps what is each draw's own: the values it sets, and whom its screening rejected.
    """
    first = results[0]
    groups = {name: _stack([result.groups[name] for result in results], name) for name in first.groups}
    own = [{"settings": one, "screening": result.screening} for one, result in zip(settings, results, strict=True)]
    attrs = first.attrs | {
        "scenario": scenario.resolved_yaml(),
        "scenario_sha256": scenario.sha256,
        "arguments": json.dumps(first.arguments | {"draws": len(results)}, sort_keys=True),
        "screening": json.dumps(_screened([result.screening for result in results]), ensure_ascii=False),
        "draws": json.dumps(own, ensure_ascii=False),
    }
    return Result(attrs, groups)


def _screened(each: list[dict[str, Any]]) -> dict[str, Any]:
    """Candidates and rejections of all draws together."""
    counts: Counter[tuple[str, str]] = Counter()
    for screening in each:
        counts.update({(stratum, rule): count for stratum, rule, count in screening["rejected"]})
    return {
        "candidates": sum(screening["candidates"] for screening in each),
        "rejected": [[*key, count] for key, count in counts.items()],
    }


def _attrs_of(result: Result, number: int) -> dict[str, Any]:
    """What was run in one draw."""
    from simulator.language import parse

    attrs = dict(result.attrs)
    own = json.loads(attrs.pop("draws"))[number]
    written = parse(str(attrs["scenario"]).encode("utf-8"), str(attrs["scenario_name"]))
    scenario = written.replace(own["settings"])
    arguments = {key: value for key, value in result.arguments.items() if key != "draws"}
    return attrs | {
        "scenario": scenario.resolved_yaml(),
        "scenario_sha256": scenario.sha256,
        "arguments": json.dumps(arguments, sort_keys=True),
        "screening": json.dumps(own["screening"], ensure_ascii=False),
    }


def _groups_of(result: Result, number: int) -> Groups:
    """The groups of one draw, taken out when they are asked for."""
    return Lazily({name: partial(_take, result, name, number) for name in result.groups})


def _take(result: Result, name: str, number: int) -> Group:
    """What `_stack` made of one draw, as it was before."""
    group = result.groups[name]
    rest = {key: one for key, one in group.items() if key != "draw"}
    if name in RAGGED:
        mine = group["draw"].values == number
        return {key: Named(one.dims, one.values[mine], one.attrs) for key, one in rest.items()}
    return {
        key: Named(one.dims[1:], one.values[number], one.attrs) if "draw" in one.dims else one
        for key, one in rest.items()
    }


def _stack(groups: list[Group], name: str) -> Group:
    """Coordinates once; every other array with `draw` in front; records one after another, with their draw."""
    first = groups[0]
    if name in RAGGED:
        sizes = [len(next(iter(group.values())).values) for group in groups]
        number = np.repeat(np.arange(len(groups), dtype=np.int32), sizes)
        joined = {
            key: Named(one.dims, np.concatenate([g[key].values for g in groups]), one.attrs)
            for key, one in first.items()
        }
        return {"draw": Named(("record",), number, {"units": "1", "long_name": "draw"}), **joined}
    labels = {key: one for key, one in first.items() if is_coordinate(key, one)}
    draw = Named(
        ("draw",), np.arange(len(groups), dtype=np.int32), {"units": "1", "long_name": "vector of the ensemble"}
    )
    rest = {
        key: Named(("draw", *one.dims), np.stack([group[key].values for group in groups]), one.attrs)
        for key, one in first.items()
        if key not in labels
    }
    return {"draw": draw, **labels, **rest}


def assumed_share(values: Floats, vectors: Floats, ensemble: Floats) -> float:
    """Share of the variance over draws that comes from directions which the rows inform less than the priors.

    The principal directions of the ensemble are uncorrelated, so that the variance of a linear answer is the sum of
    b_k² v_k over them. Where v_k, in prior SDs, is above one half, the prior says more than the rows.

    Parameters
    ----------
    values : (n_draws,)
        A figure at each draw.
    vectors : (n_draws, n_parameters)
        The draws, in prior SDs.
    ensemble : (n_vectors, n_parameters)
        Where they were drawn from.

    Returns
    -------
    float
        From 0 to 1; NaN with too few draws, or where the figure does not vary.
    """
    draws, parameters = vectors.shape
    if draws < PER_PARAMETER * parameters or not np.isfinite(values).all() or np.ptp(values) == 0:
        return float("nan")
    variance, axes = np.linalg.eigh(np.cov(ensemble.T))
    scores = (vectors - ensemble.mean(axis=0)) @ axes
    slopes = np.linalg.lstsq(np.column_stack([np.ones(draws), scores]), values, rcond=None)[0][1:]
    parts = slopes**2 * variance
    return float(parts[variance > 0.5].sum() / parts.sum())
