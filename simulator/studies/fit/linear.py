"""The fit of the linear model: a linear mixed model of the ALSFRS-R, whose likelihood is Gaussian and exact.

Of docs/model_linear.md the line is fitted: everybody's own score at baseline and own slope, normal. Rounding and limits
of the scale, death and dropout say nothing to it. What the scenario has of it are the slope's distribution and the
noise of a measurement; the scores at baseline are told beside.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.intervals import Z_95
from simulator.analysis.lines import Lines, LinesError, fit_lines
from simulator.datasets import Note
from simulator.errors import UsageError
from simulator.language.calibrated import value_at
from simulator.studies.fit.assembling import FitInput, Made, assembled, named
from simulator.studies.fit.parameters import BACK, TURN
from simulator.studies.fit.result import Estimate, Fit
from simulator.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

Floats = NDArray[np.float64]
LEAST_SLOPE = 1e-3
"""Points a month at which slopes are cut: a scenario's must be above 0. A bound of the language, not a finding."""
LOTS = 0x6C696E
UNREAD = ("free", "fix", "given", "folds", "steps", "crowd")
"""What is asked of a fit by simulation, and means nothing here."""


def refuse_unread(asked: Any, usual: Any) -> None:
    """Say what was asked that this fit would not heed.

    Raises
    ------
    UsageError
        One of them is not as usual.
    """
    for name in UNREAD:
        if getattr(asked, name) != getattr(usual, name):
            raise UsageError(f"the model linear is fitted whole and exactly: {name} means nothing to it. Leave it out")


def fit_linear(told: FitInput, method: str, draws: int) -> Fit:
    """Fit the scores of everybody.

    Raises
    ------
    UsageError
        The scenario has several variants, or the data do not determine the model.
    """
    own = f"progression.slope_points_per_month.{_variant(told.scenario)}"
    found = _fitted(told, method)
    turned, spread = _turned(_packed(found)), _spread(found)
    estimates = list(_estimates(own, told.scenario, turned, np.sqrt(np.diag(spread))))
    lots = np.random.Generator(np.random.Philox(key=np.array([told.seed, LOTS], np.uint64)))
    ensemble = np.array([_draw(found, lots) for _ in range(draws)])
    sds = np.sqrt(np.diag(found.covariance))
    shown = found.own.std(axis=0) ** 2 / np.maximum(sds**2, 1e-12)
    effects = {
        "name": named("effect", ["baseline", "slope"], "name"),
        "sd": named("effect", sds, "sd"),
        "shrinkage": named("effect", 1 - shown, "shrinkage"),
    }
    each = np.zeros(told.people.n)
    each[found.people] = found.each
    none = np.full(told.people.n, np.nan)
    people = {"before": none, "after": each, "effective": none, "cross_validated": none}
    attrs: dict[str, Any] = dict.fromkeys(
        ("error_before", "error_after", "error_gain", "penalty_before", "penalty_after"), 0.0
    )
    attrs |= {"restricted": found.log_likelihood - float(found.each.sum()), "likelihood": method}
    settings = {own: {"normal": {"mean": 1.0, "sd": 1.0, "low": LEAST_SLOPE}}}
    made = Made({"effects": effects}, {**attrs, "converged": 1}, spread, ensemble, settings)
    return assembled(told._replace(notes=[*told.notes, *_notes(told, turned)]), estimates, people, made)


def _fitted(told: FitInput, method: str) -> Lines:
    rows = [(k, one.day / DAYS_PER_MONTH, one.value) for k, case in enumerate(told.people.cases)
            for one in case.readings if one.name == "alsfrs_r"]  # fmt: skip
    person, time, y = (np.array(column, np.float64) for column in zip(*rows, strict=True)) if rows else np.zeros((3, 0))
    try:
        return fit_lines(person.astype(np.int64), time, y, method)
    except LinesError as error:
        raise UsageError(f"the model linear cannot be fitted: {error}. Measure more people twice") from None


def _variant(scenario: Scenario) -> str:
    names = list(scenario.disease.variants)
    if len(names) > 1:
        raise UsageError(
            f"the model linear is fitted to one variant, and the scenario has {', '.join(names)}. Keep one"
        )
    return names[0]


def _notes(told: FitInput, turned: Floats) -> list[Note]:
    """What this likelihood does not read, and slopes that a scenario cannot have."""
    mean, sd = float(turned[0]), float(np.exp(turned[1]))
    rising = NormalDist(mean, sd).cdf(LEAST_SLOPE)
    notes = []
    if told.people.endpoint:
        number = int(told.people.event.sum())
        notes.append(Note(number, f"events ({told.people.endpoint})", "not read: the linear fit has scores only"))
    other = sum(one.name != "alsfrs_r" for case in told.people.cases for one in case.readings)
    if other:
        notes.append(Note(other, "values", "of other measures than alsfrs_r, not fitted"))
    if rising > 0.005:
        why = f"lie below {LEAST_SLOPE:g} points a month in the fitted normal; the scenario cuts them there"
        notes.append(Note(round(100 * rising), "% of slopes", why))
    return notes


SCALES = ("plain", "log", "log", "plain", "log", "fisher")


def _values(x: Floats) -> Floats:
    """Mean slope downwards, its SD, SD of the noise; mean baseline, its SD, correlation of baseline and fall."""
    low = np.array([[x[0], 0.0], [x[1], x[2]]])
    covariance = low @ low.T
    sds = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
    return np.array([-x[5], sds[1], np.exp(x[3]), x[4], sds[0], -covariance[0, 1] / (sds[0] * sds[1])])


def _packed(found: Lines) -> Floats:
    return np.concatenate([found.phi, found.line])


def _turned(x: Floats) -> Floats:
    """The values on the scales of the fit."""
    return np.array([TURN[scale](value) for scale, value in zip(SCALES, _values(x).tolist(), strict=True)])


def _spread(found: Lines) -> Floats:
    """(6, 6) covariance on the scales of the fit, by the delta method; line and covariance of lines are independent."""
    x, h = _packed(found), 1e-5
    slopes = np.array([(_turned(x + own) - _turned(x - own)) / (2 * h) for own in h * np.eye(6)])
    inner = np.zeros((6, 6))
    inner[:4, :4], inner[4:, 4:] = found.phi_covariance, found.line_covariance
    return np.asarray(slopes.T @ inner @ slopes)


def _estimates(own: str, scenario: Scenario, turned: Floats, errors: Floats) -> list[Estimate]:
    """Values with their intervals."""
    names = (f"{own}.normal.mean", f"{own}.normal.sd", "visits.noise.alsfrs_r_points", "baseline mean", "baseline SD",
             "correlation of baseline and fall")  # fmt: skip
    units = ("points/month", "points/month", "points", "points", "points", "")
    content = scenario.content()
    made = []
    for k, (name, scale, t, se) in enumerate(zip(names, SCALES, turned.tolist(), errors.tolist(), strict=True)):
        start = value_at(content, name)
        value, low, high = (float(BACK[scale](t + sign * Z_95 * se)) for sign in (0, -1, 1))
        how = "exact" if k < 3 else "told"
        numbers = (float("nan") if start is None else start, value, low, high, se, 0.0, float("nan"))
        made.append(Estimate(name, units[k], scale, "none", how, *numbers))
    return made


def _draw(found: Lines, lots: np.random.Generator) -> Floats:
    """A vector of the normal posterior."""
    drawn = _packed(found)
    for part, spread in ((slice(0, 4), found.phi_covariance), (slice(4, 6), found.line_covariance)):
        values, vectors = np.linalg.eigh(spread)
        drawn[part] += vectors @ (np.sqrt(np.maximum(values, 0.0)) * lots.normal(size=len(values)))
    made = _values(drawn)
    made[0] = max(made[0], LEAST_SLOPE)
    return made
