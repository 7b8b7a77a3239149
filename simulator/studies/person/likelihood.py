"""How likely a twin was to give what was measured: the measurement model of the visits, as probabilities.

Every measurement has the probability that a measurement of the twin would have been written down as the same figure,
divided by the largest that any truth gives; the product over measurements is the share of such twins that is kept.
Section 9 of docs/model.md; `engine/observe.py` is what it is the law of.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.errors import SimulatorError
from simulator.program.calendar import BULBAR_LIMIT, item_sd
from simulator.studies.person import items

if TYPE_CHECKING:
    from simulator.language.blocks.person import Person, Reading
    from simulator.language.care import Visits
    from simulator.results.record import Arrays, Record
    from simulator.studies.person.timeline import Timeline

Floats = NDArray[np.float64]
POINTS = 48
SMALLEST = 1e-9  # stands for a noise of 0
MEASURED = {
    "alsfrs_r": ("alsfrs_r", 0.0),
    "svc_percent": ("svc_percent", 0.5),
    "fvc_percent": ("svc_percent", 0.5),
    "nfl_plasma": ("nfl_plasma", 0.5),
}
"""What has a likelihood: its key in `person.tolerance`, and half of the last digit where nothing is said."""


class Term(NamedTuple):
    """One measurement: where it stands, what it is, how well each twin fits (1 the best that can be), their truth."""

    path: tuple[str | int, ...]
    words: str
    fit: Floats
    truth: Floats


class Simulated(Protocol):
    """What is read of simulated people: their traits, and truth as (arm, person, output), the first arm."""

    @property
    def patients(self) -> Arrays:
        """Traits, (person,) each."""

    @property
    def truth(self) -> Arrays:
        """Quantities, (arm, person, output) each."""

    def has(self, name: str) -> bool:
        """Whether the model has a quantity."""


class Day(NamedTuple):
    """The twins on the day of a measurement."""

    record: Simulated
    at: int  # number of the output
    visits: Visits
    rows: NDArray[np.int64] | slice = slice(None)  # of whom

    def truth(self, name: str) -> Floats:
        """One quantity of the truth."""
        return np.asarray(self.record.truth[name][0, self.rows, self.at], np.float64)

    def trait(self, name: str) -> Floats:
        """One trait, which this progression model must have."""
        if name not in self.record.patients:
            raise SimulatorError(f"this progression model has no {name}, which a measurement of the person needs")
        return np.asarray(self.record.patients[name][self.rows], np.float64)


def terms(record: Record, line: Timeline, person: Person, visits: Visits) -> Iterator[Term]:
    """Every measurement of a person, for the twins of a run up to now; that they are event-free now is the first."""
    died = (record.events["event"][0] > 0) & (record.events["event_free_time"][0] <= line.now)
    yield Term(("person",), "event-free now", np.where(died, 0.0, 1.0), np.where(died, 0.0, 1.0))
    for one in line.measured:
        day = Day(record, int(np.searchsorted(record.time, one.day)), visits)
        for name, words, fit, truth in _reading(day, one.reading, person):
            yield Term((*one.path, *name), words, fit, truth)


def _reading(day: Day, reading: Reading, person: Person) -> Iterator[tuple[tuple[str, ...], str, Floats, Floats]]:
    """What one reading holds."""
    near = {name: getattr(person.tolerance, of).value for name, (of, _) in MEASURED.items()}
    if reading.alsfrs_r is not None:
        y = reading.alsfrs_r.value
        yield ("alsfrs_r",), f"ALSFRS-R {y:g}", fit(day, "alsfrs_r", y, near["alsfrs_r"]), day.truth("alsfrs_r")
    for name, points in reading.domains.items():
        own = items.domain_fit(day.truth(f"alsfrs_r_{name}"), day.trait("steepness"), name, points, _item_sd(day))
        yield (name,), f"{name} {points:g}", own, day.truth(f"alsfrs_r_{name}")
    for name in ("svc_percent", "fvc_percent"):
        if (given := getattr(reading, name)) is not None:
            y = given.value
            yield (name,), f"{name} {y:g}", fit(day, name, y, near[name]), _breath(day, name)
    if reading.nfl_plasma is not None:
        y = reading.nfl_plasma.value
        own = fit(day, "nfl_plasma", y, near["nfl_plasma"])
        yield ("nfl_plasma",), f"NfL {y:g} pg/mL", own, day.truth("nfl_plasma")
    yield from _limits(day, reading)


def fit(day: Day, name: str, y: float, width: float) -> Floats:
    """How well each twin fits a figure y, written down to ± `width`: (n,), 1 the best that can be.

    `name` is a key of `MEASURED`.
    """
    if name == "alsfrs_r":
        return _total(day, y - width, y + width)
    if name == "nfl_plasma":
        return _nfl(day, y, width)
    own = _window(_breath(day, name), y - width, y + width, day.visits.noise.svc_percent.value)
    return np.where(_can_blow(day), own, 0.0)


def best(visits: Visits, name: str, y: float, width: float) -> float:
    """The largest probability of a figure that any truth gives: with it `fit` is a probability, not a ratio."""
    noise = visits.noise
    if name == "alsfrs_r":
        return (
            1.0
            if visits.scoring == "items"
            else _best_total(*_edges(y - width, y + width), noise.alsfrs_r_points.value)
        )
    if name == "nfl_plasma":
        return (
            1.0 if y < noise.nfl_llq.value else _middle(*_logs(y, width, noise.nfl_llq.value), noise.nfl_log_sd.value)
        )
    return _middle(y - width, y + width, noise.svc_percent.value)


def _limits(day: Day, reading: Reading) -> Iterator[tuple[tuple[str, ...], str, Floats, Floats]]:
    """What is only known to have been at least so much."""
    least = reading.at_least
    if least is None:
        return
    if least.alsfrs_r is not None:
        y = least.alsfrs_r.value
        yield ("at_least", "alsfrs_r"), f"ALSFRS-R at least {y:g}", _total(day, y, POINTS), day.truth("alsfrs_r")
    for name in ("svc_percent", "fvc_percent"):
        if (given := getattr(least, name)) is not None:
            fit = between(_breath(day, name), given.value, np.inf, day.visits.noise.svc_percent.value)
            fit = np.where(_can_blow(day), fit, 0.0)
            yield ("at_least", name), f"{name} at least {given.value:g}", fit, _breath(day, name)


def _item_sd(day: Day) -> float:
    """Noise of one latent item."""
    return item_sd(day.visits.noise.alsfrs_r_points.value)


def _breath(day: Day, name: str) -> Floats:
    """Slow or forced vital capacity; forced is slow less the twin's own difference."""
    svc = day.truth("svc")
    return svc if name == "svc_percent" else svc - day.trait("fvc_offset")


def _can_blow(day: Day) -> NDArray[np.bool_] | bool:
    """Breathing cannot be measured with a weak mouth, where the model has one."""
    return not day.record.has("alsfrs_r_bulbar") or day.truth("alsfrs_r_bulbar") >= BULBAR_LIMIT


def between(truth: Floats, low: Floats | float, high: Floats | float, sd: float) -> Floats:
    """P(low <= truth + N(0, sd²) < high), exact in both tails."""
    from scipy.special import ndtr

    a, b = (low - truth) / max(sd, SMALLEST), (high - truth) / max(sd, SMALLEST)
    swap = a > 0
    return np.asarray(ndtr(np.where(swap, -a, b)) - ndtr(np.where(swap, -b, a)))


def _window(truth: Floats, low: float, high: float, sd: float) -> Floats:
    """The same, over the largest that any truth gives: the one in the middle."""
    return between(truth, low, high, sd) / _middle(low, high, sd)


def _middle(low: float, high: float, sd: float) -> float:
    return float(between(np.array([(low + high) / 2]), low, high, sd)[0])


def _total(day: Day, low: float, high: float) -> Floats:
    """A total of low to high: a total with noise, clipped and rounded; or a sum of twelve items."""
    if day.visits.scoring == "items":
        domains = [(day.truth(f"alsfrs_r_{name}"), name) for name in items.DOMAINS]
        return items.total_fit(domains, day.trait("steepness"), low, high, _item_sd(day))
    sd = day.visits.noise.alsfrs_r_points.value
    lower, upper = _edges(low, high)
    fit = between(day.truth("alsfrs_r"), lower, upper, sd) / _best_total(lower, upper, sd)
    return np.minimum(fit, 1.0)


def _edges(low: float, high: float) -> tuple[float, float]:
    """Totals with noise that are written down as low to high."""
    return -np.inf if low <= 0 else low - 0.5, np.inf if high >= POINTS else high + 0.5


def _best_total(lower: float, upper: float, sd: float) -> float:
    return float(np.max(between(np.linspace(0, POINTS, 481), lower, upper, sd)))


def _nfl(day: Day, y: float, width: float) -> Floats:
    """A concentration with log-normal noise; below the limit of quantification any value is the same."""
    noise = day.visits.noise
    truth, limit, sd = np.log(day.truth("nfl_plasma")), noise.nfl_llq.value, noise.nfl_log_sd.value
    if y < limit:
        return between(truth, -np.inf, float(np.log(limit)), sd)
    return _window(truth, *_logs(y, width, limit), sd)


def _logs(y: float, width: float, limit: float) -> tuple[float, float]:
    """The logarithms between which a concentration lies."""
    return float(np.log(max(y - width, limit, y * 1e-3))), float(np.log(y + width))
