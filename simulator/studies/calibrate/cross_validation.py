"""Cross-validation: each source is left out in turn, and its rows are predicted from the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.catalog.calibration import Calibration, calibration
from simulator.catalog.facts import Fact
from simulator.catalog.targets import Run, Target, published, targets
from simulator.language.calibrated import value_at
from simulator.mechanisms.antisense.spec import Antisense
from simulator.studies.calibrate.apply import calibrated_vector, vector_settings
from simulator.studies.calibrate.evaluate import runs_at, settings, starting_vector
from simulator.studies.calibrate.hierarchy import LEVELS, SPEEDS, Known, Linear, between_cohorts, predict
from simulator.studies.calibrate.likelihood import Likelihood, likelihood
from simulator.studies.calibrate.rows import Datum, chosen, data
from simulator.studies.evidence.score import (
    Runs,
    Score,
    figures,
    in_published_unit,
    scenario_of,
    score,
    simulated,
)
from simulator.studies.evidence.structures import with_model

if TYPE_CHECKING:
    from simulator.language import Scenario

Floats = NDArray[np.float64]
Evaluate = Callable[[Floats, float], Floats]
Mask = NDArray[np.bool_]
INTERVALS = (0.5, 0.8, 0.95)
STEP = 0.5  # prior SDs
SHIFT = 0.2  # of log D50
VALOR = "VALOR and its extension"
SHARE = 0.2  # of the patients of the targets' runs: differences have random numbers in common
LIKE = {"valor_weeks": "valor", "course": "onset", "variants": "onset", "healey": "generic"}
"""Runs of the targets that the calibration does not have, and whose parameters they take."""
ONE_COHORT = {"valor": VALOR, "valor_weeks": VALOR}
"""Runs whose rows are of the same people, whoever reported them; elsewhere a source is a cohort."""


class Prediction(NamedTuple):
    """A row beside its prediction from other sources; the four SDs make up `sd`, with the Monte Carlo error.

    `in_sample_z` is the z of the row in `als-sim evidence`: at the catalog's values, with the sampling error alone.
    """

    id: str
    cohort: str
    role: str
    published: float
    predicted: float
    parameters_sd: float
    speed_sd: float
    level_sd: float
    sampling_sd: float
    sd: float
    z: float
    in_sample_z: float


class Validated(NamedTuple):
    """All predictions; between-cohort SDs (mean, 5th and 95th percentile); fitted rows by cohort.

    `between` is that of log D50, `level` that of a quantity's level, in SDs between people.
    """

    predictions: list[Prediction]
    between: tuple[float, float, float]
    level: tuple[float, float, float]
    fitted: dict[str, int]

    def content(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "between_cohort_sd": dict(zip(("mean", "p5", "p95"), self.between, strict=True)),
            "between_cohort_sd_of_level": dict(zip(("mean", "p5", "p95"), self.level, strict=True)),
            "sources": [one._asdict() for one in summaries(self)],
            "rows": [one._asdict() for one in self.predictions],
        }


class Summary(NamedTuple):
    """How predictions of some rows fared: shares inside central intervals, mean and SD of z, shares in sample."""

    source: str
    rows: int
    fitted: int
    within_50: float
    within_80: float
    within_95: float
    mean_z: float
    sd_z: float
    in_sample_95: float


def cohort_of(target: Target) -> str:
    """Whose people a row is about."""
    if target.run in ONE_COHORT:
        return ONE_COHORT[target.run]
    row = published(target.id)
    return str(row.source) if isinstance(row, Fact) else VALOR


def predicted_targets(spec: Calibration) -> list[Target]:
    """Rows of the diseases that are calibrated and results of the model: those of `inputs` are not."""
    every, own = targets(), {scenario_of(run).disease.name for run in spec.runs.values()}
    mine = {name for name, run in every.runs.items() if scenario_of(run).disease.name in own}
    wanted = [t for key, t in every.targets.items() if t.run in mine and key not in spec.inputs]
    return [t.model_copy(update={"n": t.n or published(t.id).n}) for t in wanted]  # counts are of those published


def linearise(evaluate: Callable[[Floats, float], Floats], centre: Floats, spread: Floats) -> Linear:
    """Central differences of the summaries of `evaluate(vector, shift)` around a vector, with common random numbers."""
    steps = STEP * np.eye(len(centre))
    slopes = [(evaluate(centre + step, 0.0) - evaluate(centre - step, 0.0)) / (2 * STEP) for step in steps]
    shift = (evaluate(centre, SHIFT) - evaluate(centre, -SHIFT)) / (2 * SHIFT)
    return Linear(centre, evaluate(centre, 0.0), np.array(slopes).T, shift, spread)


def spread_between_people(target: Target, runs: Runs) -> float:
    """SD between people of what a row summarises, in its unit; 0 of a contrast, where a cohort's level cancels."""
    if target.against or target.statistic == "interval_width":
        return 0.0
    (found,), _ = figures(target, runs)
    one = in_published_unit(target, found.estimate, float(np.sqrt(max(found.person, 0.0)))).design
    return one if np.isfinite(one) else 0.0


def quantity(target: Target) -> str:
    """What a row is about: rows of one cohort and one quantity share the cohort's level of it."""
    return f"{target.statistic}/{target.endpoint}"


def shifted(scenario: Scenario, shift: float) -> Scenario:
    """The scenario with every median D50 longer by e^shift."""
    if not shift:
        return scenario
    places = [f"progression.d50_months.{name}.lognormal.median" for name in scenario.disease.variants]
    medians = {place: value_at(scenario.content(), place) for place in places}
    return scenario.replace({place: value * np.exp(shift) for place, value in medians.items() if value is not None})


def at(spec: Calibration, name: str, scenario: Scenario, vector: Floats, shift: float) -> Scenario:
    """The scenario of a run at a vector, with every median D50 longer by e^shift."""
    if spec.model == "clock":
        return shifted(scenario.replace(vector_settings(scenario, vector)), shift)
    if scenario.progression.model != spec.model:
        scenario = with_model(spec.model)(name, scenario)
    drugs = [key for key, one in scenario.treatments.items() if isinstance(one, Antisense)]
    return shifted(scenario.replace(settings(spec.parameters, vector, LIKE.get(name, name), drugs)), shift)


def cross_validate(
    patients: float = SHARE, tell: Callable[[int, int], None] | None = None, name: str = "valor"
) -> Validated:
    """Leave out each source in turn, refit the linear model of the rows to the rest, and predict its rows.

    A row's predictive distribution is normal. Its variance is that of the parameters, that of a cohort's shift of
    log D50, that of the cohort's own level of the quantity, and the published row's own error; the model's discrepancy
    is not in it. Parameters are fitted to the rows of `als-sim calibrate`, validation rows never. The between-cohort
    SDs are integrated over their posterior, which those rows inform, and calibration rows of other sources.

    Parameters
    ----------
    patients : float
        Share of the patients that the targets' runs name.
    tell : callable, optional
        Called with the simulations done and those expected.
    name : str
        Which calibration.
    """
    spec, centre = calibration(name), np.array(calibrated_vector(name))
    steps = _Counted(spec, tell, 4 * len(centre) + 6)
    whole = patients / SHARE  # the calibration's runs are small already
    start = runs_at(spec, starting_vector(spec), whole)
    rows = data(chosen(spec), spec, start)
    own = np.array([spread_between_people(row.target, start) for row in rows])
    fitted_model = linearise(steps.of([row.target for row in rows], spec.runs, whole), centre, own)
    wanted = predicted_targets(spec)
    runs = Runs(lambda name, scenario: at(spec, name, scenario, centre, 0.0), patients)
    scores = [score(target, runs) for target in wanted]
    usable = [k for k, one in enumerate(scores) if one.se is not None and one.published is not None]
    wanted, scores = [wanted[k] for k in usable], [scores[k] for k in usable]
    spread = np.array([spread_between_people(target, runs) for target in wanted])
    model = linearise(steps.of(wanted, targets().runs, patients), centre, spread)
    known = _known((rows, fitted_model, likelihood(rows, spec, start)), (wanted, scores, model))
    return _validated(known, model, np.array([cohort_of(target) for target in wanted]), scores)


def _validated(known: Known, model: Linear, cohorts: NDArray[np.str_], scores: list[Score]) -> Validated:
    found = [
        one
        for cohort in dict.fromkeys(cohorts.tolist())
        for one in _predictions(known, model, cohort, cohorts == cohort, scores)
    ]
    weights = between_cohorts(known, np.ones(len(known.fitted), bool))
    counts = {str(one): int((known.cohorts[known.fitted] == one).sum()) for one in dict.fromkeys(cohorts.tolist())}
    return Validated(found, _range(weights.sum(axis=1), SPEEDS), _range(weights.sum(axis=0), LEVELS), counts)


def _range(weights: Floats, grid: Floats) -> tuple[float, float, float]:
    low, high = np.interp([0.05, 0.95], np.cumsum(weights), grid)
    return float(weights @ grid), float(low), float(high)


class _Counted:
    """Makes functions that simulate summaries, and tells how many simulations were made."""

    def __init__(self, spec: Calibration, tell: Callable[[int, int], None] | None, expected: int) -> None:
        self._spec, self._tell, self._expected, self._made = spec, tell, expected, 0

    def of(self, wanted: Sequence[Target], table: Mapping[str, Run], patients: float) -> Evaluate:
        """From a vector and a shift to the summaries of targets; a run at the same values is simulated once."""
        used = list(dict.fromkeys(target.run for target in wanted))
        known: dict[str, dict[str, float]] = {}

        def summaries_of(name: str, vector: Floats, shift: float) -> dict[str, float]:
            scenario = at(self._spec, name, scenario_of(table[name]), vector, shift)
            key = f"{name} {scenario.sha256}"
            if key not in known:
                runs = Runs(lambda _name, _scenario: scenario, patients, table)
                known[key] = {one.id: simulated(one, runs).value for one in wanted if one.run == name}
            return known[key]

        def evaluate(vector: Floats, shift: float) -> Floats:
            found = {key: value for name in used for key, value in summaries_of(name, vector, shift).items()}
            self._made += 1
            if self._tell:
                self._tell(self._made, self._expected)
            return np.array([found[target.id] for target in wanted])

        return evaluate


def _known(fit: tuple[list[Datum], Linear, Likelihood], every: tuple[list[Target], list[Score], Linear]) -> Known:
    """The fitted rows, and after them calibration rows of cohorts of which nothing is fitted."""
    (rows, fitted, target), (wanted, scores, model) = fit, every
    own = [cohort_of(row.target) for row in rows]
    others = [k for k, one in enumerate(scores) if one.role == "calibration" and cohort_of(wanted[k]) not in set(own)]
    size = len(rows) + len(others)
    covariance = np.zeros((size, size))
    covariance[: len(rows), : len(rows)] = target.covariance
    for k, other in enumerate(others, len(rows)):
        covariance[k, k] = (scores[other].se or 0.0) ** 2
    both = Linear(
        model.centre,
        np.append(fitted.value, model.value[others]),
        np.vstack([fitted.jacobian, model.jacobian[others]]),
        np.append(fitted.shift, model.shift[others]),
        np.append(fitted.spread, model.spread[others]),
    )
    observed = np.append(target.observed, [scores[k].published or 0.0 for k in others])
    cohorts = np.array([*own, *(cohort_of(wanted[k]) for k in others)])
    quantities = np.array([*(quantity(row.target) for row in rows), *(quantity(wanted[k]) for k in others)])
    return Known(both, Likelihood(observed, covariance), cohorts, quantities, np.arange(size) < len(rows))


def _predictions(known: Known, model: Linear, cohort: str, mine: Mask, scores: list[Score]) -> list[Prediction]:
    expected = predict(known, model, cohort)
    found = []
    for k in np.flatnonzero(mine):
        one = scores[k]
        assert one.se is not None
        assert one.published is not None
        sampling = float(np.hypot(one.se, one.mcse or 0.0))
        spreads = float(expected.parameters[k]), float(expected.speed[k]), float(expected.level[k]), sampling
        mean, sd = float(expected.mean[k]), float(np.sqrt(np.square(spreads).sum()))
        z = (one.published - mean) / sd
        found.append(Prediction(one.id, cohort, one.role, one.published, mean, *spreads, sd, z, -(one.z or 0.0)))
    return found


def summaries(found: Validated) -> list[Summary]:
    """One summary for each source, of all rows, of those not of the largest source, and of sources counted alike."""
    by_cohort = {
        cohort: [one for one in found.predictions if one.cohort == cohort]
        for cohort in dict.fromkeys(one.cohort for one in found.predictions)
    }
    each = [_summary(cohort, mine, found.fitted[cohort]) for cohort, mine in by_cohort.items()]
    whole = _summary("all rows", found.predictions, sum(found.fitted.values()))
    largest = max(each, key=lambda one: one.rows)
    rest = [one for one in found.predictions if one.cohort != largest.source]
    others = _summary("all but the largest", rest, whole.fitted - largest.fitted)
    sizes = {cohort: len(mine) for cohort, mine in by_cohort.items()}
    weight = np.array([1 / sizes[one.cohort] / len(sizes) for one in found.predictions])
    alike = _summary("every source counted alike", found.predictions, whole.fitted, weight)
    return [*each, whole, others, alike._replace(rows=len(each))]


def _summary(source: str, mine: Sequence[Prediction], fitted: int, weight: Floats | None = None) -> Summary:
    from scipy.special import ndtri

    share = np.full(len(mine), 1 / len(mine)) if weight is None else weight
    z, before = np.array([one.z for one in mine]), np.array([one.in_sample_z for one in mine])
    low, middle, high = (float(share @ (np.abs(z) <= ndtri((1 + level) / 2))) for level in INTERVALS)
    mean = float(share @ z)
    spread, in_sample = float(np.sqrt(share @ (z - mean) ** 2)), float(share @ (np.abs(before) <= ndtri(0.975)))
    return Summary(source, len(mine), fitted, low, middle, high, mean, spread, in_sample)
