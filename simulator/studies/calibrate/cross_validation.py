"""Cross-validation: each source is left out in turn, and its rows are predicted from the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.catalog.calibration import Calibration, calibration
from simulator.catalog.facts import Fact
from simulator.catalog.targets import Target, published, targets
from simulator.language.fitted import value_at
from simulator.studies.calibrate.apply import calibrated_vector, vector_settings
from simulator.studies.calibrate.evaluate import runs_at, starting_vector
from simulator.studies.calibrate.likelihood import Likelihood, likelihood
from simulator.studies.calibrate.rows import Datum, chosen, data
from simulator.studies.evidence.score import Runs, Score, scenario_of, score, simulated

if TYPE_CHECKING:
    from simulator.language import Scenario

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
LEVELS = (0.5, 0.8, 0.95)
STEP = 0.5  # prior SDs
SHIFT = 0.2  # of log D50
GRID = np.linspace(0, 1.5, 61)  # between-cohort SDs
BELIEF = 0.35  # scale of the half-normal prior of the between-cohort SD, that of `cohort_log_shift` (assumed)
VALOR = "VALOR and its extension"
SPEED = ("alsfrs_r", "svc", "")
"""Endpoints of rows about function and survival ("")."""
SHARE = 0.2  # of the patients of the targets' runs: differences have random numbers in common
ONE_COHORT = {"valor": VALOR, "valor_weeks": VALOR}
"""Runs whose rows are of the same people, whoever reported them; elsewhere a source is a cohort."""


class Linear(NamedTuple):
    """Summaries as linear functions of the parameters, in prior SDs, and of a cohort's shift of log D50.

    `value` : (n,) is that at `centre` : (p,); `jacobian` : (n, p); `shift` : (n,).
    """

    centre: Floats
    value: Floats
    jacobian: Floats
    shift: Floats


class Known(NamedTuple):
    """Rows that may inform: their model, what was published, whose they are, and which of them are fitted.

    Rows that are not fitted inform the between-cohort SD alone.
    """

    model: Linear
    target: Likelihood
    cohorts: NDArray[np.str_]
    fitted: Mask


class Prediction(NamedTuple):
    """A row beside its prediction from other sources; the three SDs make up `sd`, with the Monte Carlo error.

    `in_sample_z` is the z of the row in `als-sim evidence`: at the catalog's values, with the sampling error alone.
    """

    id: str
    cohort: str
    role: str
    published: float
    predicted: float
    parameters_sd: float
    cohort_sd: float
    sampling_sd: float
    sd: float
    z: float
    in_sample_z: float


class Validated(NamedTuple):
    """All predictions; the between-cohort SD of log D50 (mean, 5th and 95th percentile); fitted rows by cohort."""

    predictions: list[Prediction]
    between: tuple[float, float, float]
    fitted: dict[str, int]

    def content(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "between_cohort_sd": dict(zip(("mean", "p5", "p95"), self.between, strict=True)),
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
    """Rows of the calibrated disease that are results of the model: those of `inputs` are not."""
    every, own = targets(), scenario_of(spec.runs[spec.scenario]).disease.name
    mine = {name for name, run in every.runs.items() if scenario_of(run).disease.name == own}
    wanted = [t for key, t in every.targets.items() if t.run in mine and key not in spec.inputs]
    return [t.model_copy(update={"n": t.n or published(t.id).n}) for t in wanted]  # counts are of those published


def linearise(evaluate: Callable[[Floats, float], Floats], centre: Floats) -> Linear:
    """Central differences of the summaries of `evaluate(vector, shift)` around a vector, with common random numbers."""
    steps = STEP * np.eye(len(centre))
    slopes = [(evaluate(centre + step, 0.0) - evaluate(centre - step, 0.0)) / (2 * STEP) for step in steps]
    shift = (evaluate(centre, SHIFT) - evaluate(centre, -SHIFT)) / (2 * SHIFT)
    return Linear(centre, evaluate(centre, 0.0), np.array(slopes).T, shift)


def shifted(scenario: Scenario, vector: Floats, shift: float) -> Scenario:
    """The scenario at a vector, with every median D50 longer by e^shift."""
    at = scenario.replace(vector_settings(scenario, vector))
    if not shift:
        return at
    places = [f"progression.d50_months.{name}.lognormal.median" for name in at.disease.variants]
    medians = {place: value_at(at.content(), place) for place in places}
    return at.replace({place: value * np.exp(shift) for place, value in medians.items() if value is not None})


def posterior(known: Known, kept: Mask, between: float) -> tuple[Floats, Floats]:
    """Mean and covariance of the parameters, in prior SDs, from the fitted rows that are kept."""
    rows = kept & known.fitted
    slopes, weight = known.model.jacobian[rows], np.linalg.inv(_covariance(known, rows, between))
    covariance = np.linalg.inv(slopes.T @ weight @ slopes + np.eye(slopes.shape[1]))
    return covariance @ slopes.T @ weight @ _away(known, rows), np.asarray(covariance, np.float64)


def between_cohorts(known: Known, kept: Mask) -> Floats:
    """Posterior probabilities of the between-cohort SDs of GRID, parameters and shifts of cohorts integrated out."""
    away, slopes = _away(known, kept), known.model.jacobian[kept]
    height = []
    for between in GRID:
        whole = _covariance(known, kept, float(between)) + slopes @ slopes.T
        root = np.linalg.cholesky(whole)
        white = np.linalg.solve(root, away)
        height.append(-0.5 * white @ white - np.log(np.diag(root)).sum() - 0.5 * (between / BELIEF) ** 2)
    weights = np.exp(np.array(height) - max(height))
    return np.asarray(weights / weights.sum(), np.float64)


def _away(known: Known, rows: Mask) -> Floats:
    """What was published, less the model at the priors' centre."""
    model = known.model
    return (known.target.observed - model.value + model.jacobian @ model.centre)[rows]


def _covariance(known: Known, rows: Mask, between: float) -> Floats:
    """Errors of rows; those of one cohort share its shift."""
    same = known.cohorts[rows][:, None] == known.cohorts[rows]
    shift = known.model.shift[rows]
    return np.asarray(known.target.covariance[np.ix_(rows, rows)] + between**2 * same * np.outer(shift, shift))


def predict(known: Known, model: Linear, cohort: str) -> tuple[Floats, Floats, Floats]:
    """Means of rows of a cohort from the other cohorts' rows, and their SDs by parameters and by the cohort's shift."""
    kept = known.cohorts != cohort
    weights = between_cohorts(known, kept)
    means, spreads = [], []
    for between in GRID:
        mean, covariance = posterior(known, kept, float(between))
        means.append(model.value + model.jacobian @ (mean - model.centre))
        spreads.append(np.einsum("ij,jk,ik->i", model.jacobian, covariance, model.jacobian))
    mean = weights @ np.array(means)
    variance = weights @ (np.array(spreads) + (np.array(means) - mean) ** 2)
    return mean, np.sqrt(variance), np.sqrt(weights @ GRID**2) * np.abs(model.shift)


def cross_validate(patients: float = SHARE, tell: Callable[[int, int], None] | None = None) -> Validated:
    """Leave out each source in turn, refit the linear model of the rows to the rest, and predict its rows.

    A row's predictive distribution is normal. Its variance is that of the parameters, that of a cohort's shift of
    log D50, and the published row's own error; the model's discrepancy is not in it. Parameters are fitted to the rows
    of `als-sim calibrate`, validation rows never. The between-cohort SD is integrated over its posterior, which those
    rows inform, and calibration rows of other sources about function and survival.

    Parameters
    ----------
    patients : float
        Share of the patients that the targets' runs name.
    tell : callable, optional
        Called with the simulations done and those expected.
    """
    spec, centre = calibration(), np.array(calibrated_vector())
    steps = _Counted(tell, 4 * len(centre) + 6)
    whole = patients / SHARE  # the calibration's runs are small already
    start = runs_at(spec, starting_vector(spec), whole)
    rows = data(chosen(spec), spec, start)
    fitted_model = linearise(steps.of([row.target for row in rows], spec.runs, whole), centre)
    wanted = predicted_targets(spec)
    runs = Runs(lambda _, scenario: shifted(scenario, centre, 0.0), patients)
    scores = [score(target, runs) for target in wanted]
    usable = [k for k, one in enumerate(scores) if one.se is not None and one.published is not None]
    wanted, scores = [wanted[k] for k in usable], [scores[k] for k in usable]
    model = linearise(steps.of(wanted, targets().runs, patients), centre)
    known = _known((rows, fitted_model, likelihood(rows, spec, start)), (wanted, scores, model))
    cohorts = np.array([cohort_of(target) for target in wanted])
    found = [
        one
        for cohort in dict.fromkeys(cohorts.tolist())
        for one in _predictions(known, model, cohort, cohorts == cohort, scores)
    ]
    weights = between_cohorts(known, np.ones(len(known.fitted), bool))
    low, high = np.interp([0.05, 0.95], np.cumsum(weights), GRID)
    counts = {str(one): int((known.cohorts[known.fitted] == one).sum()) for one in dict.fromkeys(cohorts.tolist())}
    return Validated(found, (float(weights @ GRID), float(low), float(high)), counts)


class _Counted:
    """Makes functions that simulate summaries, and tells how many simulations were made."""

    def __init__(self, tell: Callable[[int, int], None] | None, expected: int) -> None:
        self._tell, self._expected, self._made = tell, expected, 0

    def of(self, wanted: Sequence[Target], table: Any, patients: float) -> Callable[[Floats, float], Floats]:
        """From a vector and a shift to the summaries of targets."""

        def evaluate(vector: Floats, shift: float) -> Floats:
            runs = Runs(lambda _, scenario: shifted(scenario, vector, shift), patients, table)
            found = np.array([simulated(target, runs).value for target in wanted])
            self._made += 1
            if self._tell:
                self._tell(self._made, self._expected)
            return found

        return evaluate


def _known(fit: tuple[list[Datum], Linear, Likelihood], every: tuple[list[Target], list[Score], Linear]) -> Known:
    """The fitted rows, and after them rows about speed of cohorts of which nothing is fitted."""
    (rows, fitted, target), (wanted, scores, model) = fit, every
    own = np.array([cohort_of(row.target) for row in rows])
    others = [
        k
        for k, one in enumerate(scores)
        if one.role == "calibration" and wanted[k].endpoint in SPEED and cohort_of(wanted[k]) not in set(own.tolist())
    ]
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
    )
    observed = np.append(target.observed, [scores[k].published or 0.0 for k in others])
    cohorts = np.append(own, [cohort_of(wanted[k]) for k in others])
    return Known(both, Likelihood(observed, covariance), cohorts, np.arange(size) < len(rows))


def _predictions(known: Known, model: Linear, cohort: str, mine: Mask, scores: list[Score]) -> list[Prediction]:
    mean, by_parameters, by_cohort = predict(known, model, cohort)
    found = []
    for k in np.flatnonzero(mine):
        one = scores[k]
        assert one.se is not None
        assert one.published is not None
        sampling = float(np.hypot(one.se, one.mcse or 0.0))
        sd = float(np.sqrt(by_parameters[k] ** 2 + by_cohort[k] ** 2 + sampling**2))
        z = (one.published - float(mean[k])) / sd
        spreads = float(by_parameters[k]), float(by_cohort[k]), sampling
        found.append(
            Prediction(one.id, cohort, one.role, one.published, float(mean[k]), *spreads, sd, z, -(one.z or 0.0))
        )
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
    low, middle, high = (float(share @ (np.abs(z) <= ndtri((1 + level) / 2))) for level in LEVELS)
    mean = float(share @ z)
    spread, in_sample = float(np.sqrt(share @ (z - mean) ** 2)), float(share @ (np.abs(before) <= ndtri(0.975)))
    return Summary(source, len(mine), fitted, low, middle, high, mean, spread, in_sample)
