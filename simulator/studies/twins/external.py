"""An external comparison: treated people beside their own untreated twins. It is no proof of an effect.

Three uncertainties are kept apart: of sampling (other participants), of parameters (between the vectors of the
ensemble) and of the cohort of twins (how many simulated people stand behind it). Intervals have all of them. The true
parameters are one more vector beside the D of the twins, so what their SD s between vectors leaves is s √(1 + 1/D),
with D − 1 degrees of freedom.

References
----------
Breslow & Day (1987), Statistical methods in cancer research II, IARC (observed over expected events).
Zou & Donner (2008), Construction of confidence limits about effect measures, doi:10.1002/sim.3095 (limits that are not
symmetric, joined). Welch (1947), doi:10.1093/biomet/34.1-2.28 (degrees of freedom of a sum of variances).
VanderWeele & Ding (2017), Sensitivity analysis in observational research, doi:10.7326/M16-2607 (E-value).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis import forecasts
from simulator.analysis.forecasts import Ratio
from simulator.analysis.intervals import mean_interval, reach
from simulator.errors import UsageError
from simulator.studies.twins.calibration import expected_events, who_of

if TYPE_CHECKING:
    from simulator.studies.twins.result import Twins

Floats = NDArray[np.float64]
ENDING = ("alsfrs_r", "svc", "fvc")
"""Outcomes of which 0 is the worst, so that it can stand for death."""
CALLED = "An external comparison: it cannot show that treatment did it."


class Visit(NamedTuple):
    """Measured less expected on a day, among those alive and measured, or of all.

    Parameters
    ----------
    n : participants. observed, expected, difference : means.
    sampling, parameters, cohort : standard errors of the difference, by source; parameters NaN with one vector.
    lower, upper : 95 % interval from all three.
    speed : how fast the participants would have to fall untreated, relative to their twins, for nothing to be left:
        observed change over expected change; NaN where either is no fall.
    shift : by how many SDs, of what twins of one participant differ in, they would have to be better off.
    """

    day: float
    n: int
    observed: float
    expected: float
    difference: float
    sampling: float
    parameters: float
    cohort: float
    lower: float
    upper: float
    speed: float
    shift: float


class External(NamedTuple):
    """Participants of an arm of the data beside their untreated twins.

    Parameters
    ----------
    visits : among those alive and measured. composite : of all who were followed, an event counting as 0 points, so
        that nobody is selected by survival; empty without times to an event.
    events : observed over expected; with an ensemble the interval has the parameters' part too.
    events_parameters : SD of the logarithm of expected events between vectors.
    """

    arm: str
    participants: int
    visits: tuple[Visit, ...]
    composite: tuple[Visit, ...]
    events: Ratio | None
    events_parameters: float
    e_value: float

    def document(self) -> dict[str, Any]:
        """Everything as plain data."""
        return self._asdict() | {"called": CALLED}


def external(found: Twins, arms: Sequence[str] | None = None) -> External:
    """Compare participants of some arms of the data with their own untreated twins.

    Run it on untreated people too, if there are any: there it must find nothing.

    Parameters
    ----------
    found : twins matched on what was measured before treatment.
    arms : arms of the data, all by default.

    Raises
    ------
    UsageError
        Nobody of them has twins, or treatment began before the day until which was matched.
    """
    who = who_of(found, arms)
    if not len(who):
        raise UsageError("nobody of these arms has twins. Choose others")
    for k in who.tolist():
        one = found.participants[k]
        if one.treatment_start_day < found.until:
            fact = f"{one.id} was treated from day {one.treatment_start_day:g} on, and day {found.until} is matched"
            raise UsageError(f"{fact}: twins would know of the effect. Choose an earlier --until-day")
    days = range(len(found.days))
    visits = tuple(one for t in days if (one := _visit(found, who, t)) is not None)
    all_count = bool(found.endpoint) and found.outcome in ENDING
    composite = tuple(one for t in days if all_count and (one := _composite(found, who, t)) is not None)
    ratio, spread = _events(found, who)
    value = float("nan") if ratio is None else _e_value(ratio.value)
    return External("+".join(arms or ["all"]), len(who), visits, composite, ratio, spread, value)


def compared_arms(found: Twins) -> list[str]:
    """Arms of the data that are compared unasked: all, where there are several or somebody's treatment has a start."""
    people = [found.participants[k] for k in found.matched.tolist()]
    began = any(np.isfinite(one.treatment_start_day) for one in people)
    arms = sorted({one.arm for one in people if one.arm})
    fits = not any(one.treatment_start_day < found.until for one in people)
    return arms if fits and (began or len(arms) > 1) else []


class _Pair(NamedTuple):
    """A participant: number, value, weight, and the same of (twin,) twins, NaN where they have none."""

    k: int
    value: float
    weight: float
    sample: Floats


def _visit(found: Twins, who: NDArray[np.int64], t: int) -> Visit | None:
    """One day; None where fewer than two were measured. Whose twins are all dead by then has nothing to compare."""
    seen = found.observed[:, t]
    pairs = [_Pair(k, float(seen[k]), 1.0, found.measured(k)[:, t]) for k in who.tolist() if np.isfinite(seen[k])]
    return _compared(found, t, [one for one in pairs if np.isfinite(one.sample).any()])


def _composite(found: Twins, who: NDArray[np.int64], t: int) -> Visit | None:
    """One day, an event by then counting as 0. Who was free of it and measured stands for all who were free of it."""
    (end, event), seen, day = found.end, found.observed[:, t], float(found.days[t])
    over = [k for k in who.tolist() if event[k] and end[k] <= day]
    free = [k for k in who.tolist() if end[k] > day or (end[k] == day and not event[k])]
    measured = [k for k in free if np.isfinite(seen[k])]
    if free and not measured:
        return None
    pairs = [_Pair(k, 0.0, 1.0, _or_nothing(found, k, t)) for k in over]
    pairs += [_Pair(k, float(seen[k]), len(free) / len(measured), _or_nothing(found, k, t)) for k in measured]
    return _compared(found, t, pairs)


def _or_nothing(found: Twins, k: int, t: int) -> Floats:
    """(twin,) what is measured of twins, 0 after the event; who is not measured has what the others free of it have."""
    gone, sample = found.event_time(k) <= found.days[t], found.measured(k)[:, t]
    there = ~gone & np.isfinite(sample)
    return np.where(gone, 0.0, np.where(there, sample, sample[there].mean() if there.any() else 0.0))


def _compared(found: Twins, t: int, pairs: list[_Pair]) -> Visit | None:
    """Means of participants and twins, with the three errors of their difference."""
    n, draws = len(pairs), found.draws
    if n < 2:
        return None
    seen, weight = np.array([one.value for one in pairs]), np.array([one.weight for one in pairs])
    weight = weight / weight.sum()
    expected, noise = np.zeros((2, n))
    each = np.full((n, draws), np.nan)
    for i, one in enumerate(pairs):
        vector, known = found.draw_of(one.k), np.isfinite(one.sample)
        sample = one.sample[known]
        expected[i] = sample.mean()
        noise[i] = sample.var() / min(known.sum(), max(found.participants[one.k].effective, 1.0))
        sums, counts = np.bincount(vector[known], sample, draws), np.bincount(vector[known], minlength=draws)
        each[i] = np.divide(sums, counts, out=np.full(draws, np.nan), where=counts > 0)
    left = seen - expected
    value = float(weight @ left)
    sampling = float(np.sqrt(n / (n - 1) * (weight**2 @ (left - value) ** 2)))
    cohort = float(np.sqrt(weight**2 @ noise))
    there = np.where(np.isfinite(each), weight[:, None], 0.0)
    by_vector = (there * np.nan_to_num(each)).sum(axis=0) / np.maximum(there.sum(axis=0), 1e-12)
    parameters = _of_vectors(by_vector)
    low, high = _interval(value, sampling, cohort, parameters, n=n, draws=draws)
    first = np.array([found.participants[one.k].first for one in pairs])
    spread = float(np.mean([found.truth(one.k)[:, t].std() for one in pairs]))
    fell, would = float(weight @ (seen - first)), float(weight @ (expected - first))
    speed = fell / would if fell < 0 and would < 0 else float("nan")
    return Visit(float(found.days[t]), n, float(weight @ seen), float(weight @ expected), value, sampling, parameters,
                 cohort, low, high, speed, value / spread if spread > 0 else float("nan"))  # fmt: skip


def _of_vectors(values: Floats) -> float:
    """The error of a mean over vectors as a figure for the true one, which is one more: s √(1 + 1/D); NaN for one."""
    return float(values.std(ddof=1) * np.sqrt(1 + 1 / len(values))) if len(values) > 1 else float("nan")


def _interval(
    value: float, sampling: float, cohort: float, parameters: float, *, n: int, draws: int
) -> tuple[float, float]:
    """95 % from three errors, of which sampling has n − 1 and parameters D − 1 degrees of freedom."""
    own = float(np.nan_to_num(parameters))
    error = float(np.sqrt(sampling**2 + cohort**2 + own**2))
    left = sampling**4 / (n - 1) + own**4 / max(draws - 1, 1)
    low, high = mean_interval(value, error, 1 + error**4 / left if left > 0 else np.inf)
    return float(low), float(high)


def _events(found: Twins, who: NDArray[np.int64]) -> tuple[Ratio | None, float]:
    """Observed over expected events, and the SD of log expected events between vectors.

    The interval is exact for given parameters; with an ensemble its logarithms are joined with what vectors leave.
    """
    end, event = found.end
    known = [k for k in who.tolist() if np.isfinite(end[k])]
    if not found.endpoint or not known:
        return None, float("nan")
    each = {k: found.event_time(k) for k in known}
    ratio = forecasts.events(int(event[known].sum()), sum(expected_events(each[k], float(end[k])) for k in known))
    draws = found.draws
    if draws < 2:
        return ratio, float("nan")
    by_draw = [sum(expected_events(each[k][found.draw_of(k) == d], float(end[k])) for k in known) for d in range(draws)]
    logs = np.log(np.maximum(by_draw, 1e-9))
    return _widened(ratio, float(reach(draws)) * _of_vectors(logs)), float(logs.std(ddof=1))


def _widened(ratio: Ratio, side: float) -> Ratio:
    """The interval of a ratio whose logarithm has another, independent half-width besides."""
    if not ratio.observed:
        return ratio._replace(upper=float(ratio.upper * np.exp(side)))
    low, high = np.log(ratio.value / ratio.lower), np.log(ratio.upper / ratio.value)
    return ratio._replace(
        lower=float(ratio.value * np.exp(-np.hypot(low, side))), upper=float(ratio.value * np.exp(np.hypot(high, side)))
    )


def _e_value(ratio: float) -> float:
    """How strongly something unmeasured would have to go with treatment and with the event to explain the ratio."""
    if not ratio > 0:
        return float("inf")
    above = max(ratio, 1 / ratio)
    return float(above + np.sqrt(above * (above - 1)))
