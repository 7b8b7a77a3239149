"""An external comparison: treated people beside their own untreated twins. It is no proof of an effect.

Three uncertainties are kept apart: of sampling (other participants), of parameters (between the vectors of the
ensemble) and of the cohort of twins (how many simulated people stand behind it).

References
----------
Breslow & Day (1987), Statistical methods in cancer research II, IARC (observed over expected events).
VanderWeele & Ding (2017), Sensitivity analysis in observational research, doi:10.7326/M16-2607 (E-value).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis import forecasts
from simulator.analysis.forecasts import Ratio
from simulator.analysis.intervals import mean_interval
from simulator.errors import UsageError
from simulator.studies.twins.calibration import expected_events, who_of

if TYPE_CHECKING:
    from simulator.studies.twins.result import Twins

Floats = NDArray[np.float64]
CALLED = "An external comparison: it cannot show that treatment did it."


class Visit(NamedTuple):
    """Measured less expected on a day, among those alive and measured.

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
    """Participants of an arm of the data beside their untreated twins."""

    arm: str
    participants: int
    visits: tuple[Visit, ...]
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
    visits = tuple(one for t in range(len(found.days)) if (one := _visit(found, who, t)) is not None)
    ratio, spread = _events(found, who)
    value = float("nan") if ratio is None else _e_value(ratio.value)
    return External("+".join(arms or ["all"]), len(who), visits, ratio, spread, value)


def compared_arms(found: Twins) -> list[str]:
    """Arms of the data that are compared unasked: all, where there are several or somebody's treatment has a start."""
    people = [found.participants[k] for k in found.matched.tolist()]
    began = any(np.isfinite(one.treatment_start_day) for one in people)
    arms = sorted({one.arm for one in people if one.arm})
    fits = not any(one.treatment_start_day < found.until for one in people)
    return arms if fits and (began or len(arms) > 1) else []


def _visit(found: Twins, who: NDArray[np.int64], t: int) -> Visit | None:
    """One day; None where fewer than two were measured. Whose twins are all dead by then has nothing to compare."""
    seen = found.observed[:, t]
    mine = [k for k in who.tolist() if np.isfinite(seen[k]) and np.isfinite(found.measured(k)[:, t]).any()]
    if len(mine) < 2:
        return None
    draws = found.draws
    expected, spread, noise = np.zeros((3, len(mine)))
    each = np.full((len(mine), draws), np.nan)
    for i, k in enumerate(mine):
        sample, vector = found.measured(k)[:, t], found.draw_of(k)
        known = np.isfinite(sample)
        expected[i], spread[i] = sample[known].mean(), found.truth(k)[:, t].std()
        noise[i] = sample[known].var() / min(known.sum(), max(found.participants[k].effective, 1.0))
        sums = np.bincount(vector[known], sample[known], draws)
        counts = np.bincount(vector[known], minlength=draws)
        each[i] = np.divide(sums, counts, out=np.full(draws, np.nan), where=counts > 0)
    left = seen[mine] - expected
    n, value = len(mine), float(left.mean())
    sampling = float(left.std(ddof=1) / np.sqrt(n))
    cohort = float(np.sqrt(noise.sum()) / n)
    parameters = float(np.nanmean(each, axis=0).std(ddof=1)) if draws > 1 else float("nan")
    error = float(np.sqrt(sampling**2 + cohort**2 + np.nan_to_num(parameters) ** 2))
    low, high = (float(x) for x in mean_interval(value, error, n))
    first = np.array([found.participants[k].first for k in mine])
    fell, would = float((seen[mine] - first).mean()), float((expected - first).mean())
    speed = fell / would if fell < 0 and would < 0 else float("nan")
    shift = value / float(spread.mean()) if spread.mean() > 0 else float("nan")
    return Visit(float(found.days[t]), n, float(seen[mine].mean()), float(expected.mean()), value,
                 sampling, parameters, cohort, low, high, speed, shift)  # fmt: skip


def _events(found: Twins, who: NDArray[np.int64]) -> tuple[Ratio | None, float]:
    """Observed over expected events with the exact interval, and the SD of log expected events between vectors."""
    end, event = found.end
    known = [k for k in who.tolist() if np.isfinite(end[k])]
    if not found.endpoint or not known:
        return None, float("nan")
    each = {k: found.event_time(k) for k in known}
    ratio = forecasts.events(int(event[known].sum()), sum(expected_events(each[k], float(end[k])) for k in known))
    if found.draws < 2:
        return ratio, float("nan")
    by_draw = [
        sum(expected_events(each[k][found.draw_of(k) == d], float(end[k])) for k in known) for d in range(found.draws)
    ]
    return ratio, float(np.log(np.maximum(by_draw, 1e-9)).std(ddof=1))


def _e_value(ratio: float) -> float:
    """How strongly something unmeasured would have to go with treatment and with the event to explain the ratio."""
    if not ratio > 0:
        return float("inf")
    above = max(ratio, 1 / ratio)
    return float(above + np.sqrt(above * (above - 1)))
