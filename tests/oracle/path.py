"""The truth of one patient in one arm: all states on a fine grid of time (model.md 1, 4, 5).

Eight states by the classical Runge-Kutta rule of fourth order: S, z1, z2, r, x, J of the drug, disease time u and the
accumulated hazard H. C is exact. Steps begin and end on every whole day, so that doses, epochs of volatility and
treatment epochs fall between steps. Nothing here depends on the event: the truth goes on as if alive.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, field

from .clock import hazard_on_clock
from .drug import REST, Drug, chain_rates, multiplier
from .safety import Reaction
from .units import DAYS_PER_MONTH, EPOCH_DAYS

State = tuple[float, ...]
NO_CHANGE = (0.0,) * 6


@dataclass(frozen=True)
class Course:
    """All that drives a path: the patient's constants, q of the study epochs, the drug, and what is given when.

    `breaks`, `rate_factors` and `hazard_factors` describe the add-on treatments: the factor k holds from breaks[k].
    """

    d50: float
    scale: float
    kappa: float
    epsilon: float
    u0: float
    h0: float
    q: list[float]
    q_from: float = 0.0  # day on which epoch 0 of q begins; q = 1 before it
    drug: Drug | None = None
    dose_mg: float = 0.0
    doses: tuple[float, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    breaks: tuple[float, ...] = (0.0,)
    rate_factors: tuple[float, ...] = (1.0,)
    hazard_factors: tuple[float, ...] = (1.0,)


@dataclass
class Piece:
    """What is constant during one step."""

    c: float
    speed: float
    addons: float
    risk: float
    floor: float
    dosed: bool
    on_drug: float  # days since the first dose, at its beginning


@dataclass
class Path:
    """States at the asked days (before a dose of that day), and the step in which H passes each threshold."""

    at: dict[float, State] = field(default_factory=dict)
    concentration: dict[float, float] = field(default_factory=dict)
    first_dose: float = math.inf
    event_day: float = math.inf
    onset_day: float = math.inf  # where u passes 0, if it begins below


def field_at(course: Course, piece: Piece, offset: float, y: State) -> State:
    """Time derivative of the eight states, `offset` days into a step.

    ``du/dt = q m / D50``, but 0 at the floor while m < 0; ``dH/dt = R q/D50 [eps + (1 - eps) m+] phi(u)``.
    """
    drug = course.drug
    rates: State = NO_CHANGE
    if drug is not None and piece.dosed:
        rates = chain_rates(drug, y[:6], piece.c * math.exp(-drug.k_c * offset))  # type: ignore[arg-type]
    m = multiplier(drug, y[2], piece.addons, piece.on_drug + offset)
    u = max(y[6], piece.floor)
    weight = course.epsilon + (1.0 - course.epsilon) * max(m, 0.0)
    hazard = piece.risk * piece.speed * weight * hazard_on_clock(u, course.scale, course.kappa)
    return (*rates, 0.0 if m < 0.0 and y[6] <= piece.floor else piece.speed * m, hazard)


def advance(course: Course, piece: Piece, y: State, h: float) -> State:
    """One Runge-Kutta step of length `h`; u is then held at the floor."""
    k1 = field_at(course, piece, 0.0, y)
    k2 = field_at(course, piece, 0.5 * h, tuple([v + 0.5 * h * k for v, k in zip(y, k1, strict=True)]))
    k3 = field_at(course, piece, 0.5 * h, tuple([v + 0.5 * h * k for v, k in zip(y, k2, strict=True)]))
    k4 = field_at(course, piece, h, tuple([v + h * k for v, k in zip(y, k3, strict=True)]))
    rows = zip(y, k1, k2, k3, k4, strict=True)
    new = [v + h / 6.0 * (a + 2.0 * b + 2.0 * c + d) for v, a, b, c, d in rows]
    new[6] = max(new[6], piece.floor)
    return tuple(new)


def crossing(course: Course, piece: Piece, y: State, h: float, threshold: float) -> float:
    """Offset within a step at which H reaches the threshold, by bisection on the length of the step."""
    low, high = 0.0, h
    for _ in range(40):
        middle = 0.5 * (low + high)
        if advance(course, piece, y, middle)[7] >= threshold:
            high = middle
        else:
            low = middle
    return high


def grid(course: Course, asked: set[float], end: float, step: float) -> list[float]:
    """Every whole day and its subdivision, the asked days, doses and breaks, from 0 to `end`."""
    parts = max(round(1.0 / step), 1)
    days = {min(day + part / parts, end) for day in range(math.ceil(end)) for part in range(parts)}
    wanted = {t for t in (*asked, *course.breaks, *course.doses, end) if 0.0 <= t <= end}
    return sorted(days | wanted | {0.0})


def lower_limit(u1: float, drug: Drug) -> float:
    """``u1 - r_cap max(u1, 0)``: how far disease time may fall after the first dose (model.md 5)."""
    return u1 - drug.recovery_cap * max(u1, 0.0)


def follow(course: Course, asked: set[float], end: float, threshold: float, *, step: float = 0.25) -> Path:
    """Walk from day 0 to `end`; the state at a day is that before a dose of the day.

    Parameters
    ----------
    asked : days whose state is wanted, each in [0, end].
    threshold : the patient's own Exp(1) for death or PAV, above ``Phi(u0) = course.h0``.
    step : length of a step in days, a divisor of 1.
    """
    path = Path()
    y: State = (*REST, course.u0, course.h0)
    floor, c, dosed, doses = -math.inf, 0.0, False, set(course.doses)
    times = grid(course, asked, end, step)
    for index, t in enumerate(times):
        if t in asked:
            path.at[t], path.concentration[t] = y, c
        if course.drug is not None and t in doses:
            floor = floor if dosed else lower_limit(y[6], course.drug)
            path.first_dose = min(path.first_dose, t)
            c, dosed = c + course.dose_mg * course.drug.dose_unit, True
        if course.drug is not None and dosed and course.drug.from_worst and t % 7 == 0:
            floor = max(floor, lower_limit(y[6], course.drug))
        if index + 1 == len(times):
            break
        h = times[index + 1] - t
        k = bisect_right(course.breaks, t) - 1
        q = 1.0 if t < course.q_from else course.q[int((t - course.q_from) // EPOCH_DAYS)]
        speed = q / (course.d50 * DAYS_PER_MONTH)
        piece = Piece(
            c, speed, course.rate_factors[k], course.hazard_factors[k], floor, dosed, max(t - path.first_dose, 0.0)
        )
        new = advance(course, piece, y, h)
        if y[7] < threshold <= new[7]:
            path.event_day = t + crossing(course, piece, y, h, threshold)
        if y[6] < 0.0 <= new[6] and math.isinf(path.onset_day):
            path.onset_day = t - h * y[6] / (new[6] - y[6])
        y = new
        c *= math.exp(-course.drug.k_c * h) if course.drug is not None else 1.0
    return path
