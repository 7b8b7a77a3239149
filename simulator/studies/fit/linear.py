"""The fit of the linear model: a linear mixed model of the ALSFRS-R, whose likelihood is Gaussian and exact.

Of docs/model_linear.md the line is fitted: everybody's own score at baseline and own slope, normal. Rounding and limits
of the scale, death and dropout say nothing to it. What the scenario has of it are the slope's distribution and the
noise of a measurement; the scores at baseline are told beside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.lines import Lines, LinesError, fit_lines
from simulator.errors import UsageError
from simulator.language.calibrated import value_at
from simulator.studies.fit.assembling import Z95, FitInput, Made, assembled, named
from simulator.studies.fit.result import Estimate, Fit
from simulator.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

Floats = NDArray[np.float64]
LEAST_SLOPE = 1e-3
LOTS = 0x6C696E


def fit_linear(told: FitInput, method: str, draws: int) -> Fit:
    """Fit the scores of everybody.

    Raises
    ------
    UsageError
        The scenario has several variants, or the data do not determine the model.
    """
    variant = _variant(told.scenario)
    cases = told.people.cases
    rows = [(k, one.day / DAYS_PER_MONTH, one.value) for k, case in enumerate(cases) for one in case.readings
            if one.name == "alsfrs_r"]  # fmt: skip
    person, time, y = (np.array(column, np.float64) for column in zip(*rows, strict=True)) if rows else np.zeros((3, 0))
    try:
        found = fit_lines(person.astype(np.int64), time, y, method)
    except LinesError as error:
        raise UsageError(f"the model linear cannot be fitted: {error}. Measure more people twice") from None
    own = f"progression.slope_points_per_month.{variant}"
    estimates = list(_estimates(found, own, told.scenario))
    lots = np.random.Generator(np.random.Philox(key=np.array([told.seed, LOTS], np.uint64)))
    ensemble = np.array([_draw(found, lots) for _ in range(draws)])
    n = told.people.n
    none = np.full(n, np.nan)
    each = np.full(n, found.log_likelihood / n)
    attrs = dict.fromkeys(("error_before", "error_after", "error_gain", "penalty_before", "penalty_after"), 0.0)
    sds = np.sqrt(np.diag(found.covariance))
    shown = found.own.std(axis=0) ** 2 / np.maximum(sds**2, 1e-12)
    effects = {
        "name": named("effect", ["baseline", "slope"], "name"),
        "sd": named("effect", sds, "sd"),
        "shrinkage": named("effect", 1 - shown, "shrinkage"),
    }
    errors = np.array([one.se for one in estimates])
    people = {"before": none, "after": each, "effective": none, "cross_validated": none}
    settings = {own: {"normal": {"mean": 1.0, "sd": 1.0, "low": LEAST_SLOPE}}}
    made = Made({"effects": effects}, {**attrs, "converged": 1}, np.diag(errors**2), ensemble, settings)
    return assembled(told, estimates, people, made)


def _variant(scenario: Scenario) -> str:
    names = list(scenario.disease.variants)
    if len(names) > 1:
        raise UsageError(
            f"the model linear is fitted to one variant, and the scenario has {', '.join(names)}. Keep one"
        )
    return names[0]


def _values(phi: Floats, line: Floats) -> Floats:
    """Mean slope downwards, its SD, SD of the noise; mean baseline, its SD, correlation of baseline and fall."""
    low = np.array([[phi[0], 0.0], [phi[1], phi[2]]])
    covariance = low @ low.T
    sds = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
    return np.array([-line[1], sds[1], np.exp(phi[3]), line[0], sds[0], -covariance[0, 1] / (sds[0] * sds[1])])


def _estimates(found: Lines, own: str, scenario: Scenario) -> list[Estimate]:
    """Values with intervals by the delta method; SDs on the log scale."""
    names = (f"{own}.normal.mean", f"{own}.normal.sd", "visits.noise.alsfrs_r_points", "baseline mean", "baseline SD",
             "correlation of baseline and fall")  # fmt: skip
    units = ("points/month", "points/month", "points", "points", "points", "")
    scales = ("plain", "log", "log", "plain", "log", "plain")
    values = _values(found.phi, found.line)
    slopes = np.array([(_values(found.phi + h, found.line) - _values(found.phi - h, found.line)) / 2e-5
                       for h in 1e-5 * np.eye(4)])  # fmt: skip
    variance = np.einsum("ij,ik,kj->j", slopes, found.phi_covariance, slopes)
    variance[[0, 3]] = found.line_se[[1, 0]] ** 2
    content = scenario.content()
    made = []
    for k, name in enumerate(names):
        start = value_at(content, name)
        log = scales[k] == "log"
        se = float(np.sqrt(variance[k])) / (values[k] if log else 1.0)
        away = Z95 * se
        low, high = (values[k] * np.exp([-away, away])) if log else (values[k] - away, values[k] + away)
        how = "exact" if k < 3 else "told"
        numbers = (float("nan") if start is None else start, values[k], low, high, se, 0.0, float("nan"))
        made.append(Estimate(name, units[k], scales[k], "none", how, *map(float, numbers)))
    return made


def _draw(found: Lines, lots: np.random.Generator) -> Floats:
    """A vector of the normal posterior."""
    values, vectors = np.linalg.eigh(found.phi_covariance)
    phi = found.phi + vectors @ (np.sqrt(np.maximum(values, 0.0)) * lots.normal(size=4))
    drawn = _values(phi, found.line + found.line_se * lots.normal(size=2))
    drawn[0] = max(drawn[0], LEAST_SLOPE)
    return drawn
