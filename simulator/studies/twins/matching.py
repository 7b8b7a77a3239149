"""Which people of the pool are a participant's twins.

Everybody of the pool has a weight: the probability of what was measured of the participant, as the visits measure it,
times how well age and time since onset agree. So many twins are then drawn with these weights, in equal parts from
each parameter vector (systematic resampling): all twins count alike, and a mean over them has the expectation of the
weighted mean.

References
----------
Kitagawa (1996), Monte Carlo filter and smoother, doi:10.1080/10618600.1996.10474692 (systematic resampling).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.studies.person import items
from simulator.studies.person.likelihood import MEASURED, Day, fit
from simulator.studies.twins.cohort import Case, Cohort, Reading
from simulator.studies.twins.pool import Pool

if TYPE_CHECKING:
    from simulator.language.care import Visits
    from simulator.language.scenario import Scenario
    from simulator.results.record import Arrays

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
LEAST_EFFECTIVE = 10.0
"""Effective number of people below which a participant has no twins."""
AGE_SD, ONSET_SHARE, ONSET_SD = 5.0, 0.1, 1.0
"""How exactly age [years] and time since onset (share of it, at least so many months) are matched. Assumed."""
NEGLIGIBLE = 1e-9
"""Weight, relative to the largest, that is no weight."""
CACHE_BYTES, FEW = 1 << 28, 8
LOTS = 0x74776F  # the key of a participant's random numbers begins here


class Match(NamedTuple):
    """The twins of a participant.

    Parameters
    ----------
    twins : (twin,) positions in the pool; -1 where there are none.
    effective : Kish's effective number of people behind the weights, summed over parameter vectors.
    share : mean weight, where 1 is the best that can be: how usual the participant is.
    reason : why there are none; "" where there are.
    """

    twins: NDArray[np.int32]
    effective: float
    share: float
    reason: str


class Matcher:
    """Looks for twins in a pool; threads share it.

    Parameters
    ----------
    pool : the simulated people. scenario : of the pool. cohort : the participants.
    """

    def __init__(self, pool: Pool, scenario: Scenario, cohort: Cohort) -> None:
        self.pool, self.cohort, self.visits = pool, cohort, scenario.visits
        self.free = _free(pool, scenario, cohort.until)
        self._fits: OrderedDict[Reading, NDArray[np.float32]] = OrderedDict()
        self._laws: dict[int, Floats] = {}
        self._lock = Lock()
        self._most = max(CACHE_BYTES // (4 * max(pool.n, 1)), 8)

    def match(self, case: Case, wanted: int, seed: int, number: int) -> Match:
        """So many twins of a participant, whose random numbers are those of `number`."""
        nobody = np.full(wanted, -1, np.int32)
        if case.reason:
            return Match(nobody, 0.0, 0.0, case.reason)
        rows, weight = self._weight(case)
        draw = self.pool.draw[rows]
        sums = np.bincount(draw, weight).astype(np.float64)
        squares = np.bincount(draw, weight**2)
        total = float(np.divide(sums**2, squares, out=np.zeros_like(sums), where=squares > 0).sum())
        share = float(weight.sum() / self.pool.n)
        if total < LEAST_EFFECTIVE:
            return Match(nobody, total, share, self._blame(case, total))
        key = np.array([seed, (LOTS << 32) + number], np.uint64)
        lots = np.random.Generator(np.random.Philox(key=key))
        return Match(rows[_drawn(weight, draw, sums, wanted, lots)].astype(np.int32), total, share, "")

    def _weight(self, case: Case, without: Reading | None = None) -> tuple[Integers, Floats]:
        """Who has a weight, and their weights: what is below a billionth of the largest is none."""
        rows, weight = alike(case, self.pool.patients, self.free)
        for reading in case.readings:
            if reading is not without:
                weight = weight * self._fit(reading, rows)
                kept = weight > NEGLIGIBLE * weight.max(initial=0.0)
                rows, weight = rows[kept], weight[kept]
        return rows, weight

    def _fit(self, reading: Reading, rows: Integers) -> Floats:
        """How well people of the pool fit a measurement; of many, the last answers for all are kept and shared."""
        at = self.cohort.past.index(reading.day)
        if self._is_summed(reading):
            return self._by_items(at, reading)[rows]
        if len(rows) * FEW < self.pool.n:
            return fit(Day(self.pool, at, self.visits, rows), reading.name, reading.value, MEASURED[reading.name][1])
        with self._lock:
            if (known := self._fits.get(reading)) is not None:
                self._fits.move_to_end(reading)
                return known[rows].astype(np.float64)
        day = Day(self.pool, at, self.visits)
        found = fit(day, reading.name, reading.value, MEASURED[reading.name][1]).astype(np.float32)
        with self._lock:
            self._fits[reading] = found
            while len(self._fits) > self._most:
                self._fits.popitem(last=False)
        return found[rows].astype(np.float64)

    def _is_summed(self, reading: Reading) -> bool:
        return reading.name == "alsfrs_r" and self.visits.scoring == "items"

    def _by_items(self, at: int, reading: Reading) -> Floats:
        """The same of a sum of items, for all; the law of a day is kept, because it takes long."""
        day = Day(self.pool, at, self.visits)
        with self._lock:
            if day.at not in self._laws:
                self._laws = {
                    day.at: items.total_law(domains_of(day), day.trait("steepness"), noise_of_item(self.visits))
                }
            law = self._laws[day.at]
        return np.asarray(law[:, min(max(round(reading.value), 0), law.shape[1] - 1)])

    def _blame(self, case: Case, effective: float) -> str:
        """Why hardly anybody matches: the measurement without which most would."""
        fact = f"hardly anybody of {self.pool.n:,} simulated people is like this (effective number {effective:.1f})"
        gains = [(_effective(self._weight(case, one)[1]), one) for one in case.readings]
        gain, one = max(gains, key=lambda pair: pair[0])
        if gain < LEAST_EFFECTIVE:
            return f"{fact}: all of what is known is rare together"
        rows, rest = self._weight(case, one)
        day = Day(self.pool, self.cohort.past.index(one.day), self.visits, rows)
        low, high = _central(day.truth("svc" if one.name.endswith("vc_percent") else one.name), rest)
        rare = f"{one.name} {one.value:g} on day {one.day} is rare"
        return f"{fact}: {rare}; 90 % of who match the rest have {low:.3g} to {high:.3g}"


def match_all(
    matcher: Matcher,
    numbers: Sequence[int],
    wanted: int,
    seed: int,
    *,
    threads: int,
    progress: Callable[[int, int], None] | None,
) -> dict[int, Match]:
    """The twins of the participants with these numbers; results do not depend on the number of threads."""
    cases, found = matcher.cohort.cases, {}
    with ThreadPoolExecutor(threads) as workers:
        jobs = workers.map(lambda k: matcher.match(cases[k], wanted, seed, k), numbers)
        for done, (k, match) in enumerate(zip(numbers, jobs, strict=True)):
            found[k] = match
            if progress:
                progress(done + 1, len(numbers))
    return found


def _free(pool: Pool, scenario: Scenario, until: int) -> NDArray[np.bool_]:
    """(m,) who is free of death and ventilation until a day; who entered at a limit of a distribution is set aside.

    Limits clip, and a clipped person stands for all beyond; set aside they leave the truncated distribution.
    """
    free = ~((pool.event[0] > 0) & (pool.ended[0] <= until))
    given = scenario.entry.time_since_onset_months
    if given is not None and given.number is None:
        *_, low, high = given.terms()
        months = pool.patients["time_since_onset"]
        free &= ~((months <= np.float32(low)) | (months >= np.float32(high)))
    return free


def alike(case: Case, patients: Arrays, free: NDArray[np.bool_]) -> tuple[Integers, Floats]:
    """Who may be a twin by traits, and how well age and time since onset agree."""
    can = free.copy()
    for codes, name in ((case.sex, "sex"), (case.sites, "onset_site"), (case.variant, "variant")):
        if codes:
            can &= np.isin(patients[name], codes)
    rows = np.flatnonzero(can)
    weight = np.ones(len(rows))
    about = (("time_since_onset", case.since_onset, max(ONSET_SHARE * case.since_onset, ONSET_SD)),
             ("age", case.age, AGE_SD))  # fmt: skip
    for name, value, sd in about:
        if np.isfinite(value):
            weight = weight * np.exp(-0.5 * ((patients[name][rows] - value) / sd) ** 2)
            kept = weight > NEGLIGIBLE
            rows, weight = rows[kept], weight[kept]
    return rows, weight


def _drawn(weight: Floats, draw: NDArray[np.int32], sums: Floats, wanted: int, lots: np.random.Generator) -> np.ndarray:
    """Places, among those with a weight, of so many twins in random order; vectors that have any give equal parts."""
    can = np.flatnonzero(sums > 0)
    parts = np.diff(np.floor(np.linspace(0, wanted, len(can) + 1) + 0.5).astype(int))
    found = []
    for vector, count in zip(can.tolist(), parts.tolist(), strict=True):
        mine = np.flatnonzero(draw == vector)
        below = np.cumsum(weight[mine])
        places = (lots.random() + np.arange(count)) * (below[-1] / max(count, 1))
        found.append(mine[np.minimum(np.searchsorted(below, places, side="right"), len(mine) - 1)])
    return lots.permutation(np.concatenate(found)).astype(np.int32)


def _effective(weight: Floats) -> float:
    return float(weight.sum() ** 2 / max(np.sum(weight**2), 1e-300))


def _central(values: Floats, weight: Floats) -> tuple[float, float]:
    """The 5 and 95 % quantiles of weighted values."""
    order = np.argsort(values)
    below = np.cumsum(weight[order]) / max(weight.sum(), 1e-300)
    low, high = (values[order][min(int(np.searchsorted(below, p)), len(values) - 1)] for p in (0.05, 0.95))
    return float(low), float(high)


def domains_of(day: Day) -> list[tuple[Floats, str]]:
    """Truth and name of each domain on a day."""
    return [(day.truth(f"alsfrs_r_{name}"), name) for name in items.DOMAINS]


def noise_of_item(visits: Visits) -> float:
    """SD of the noise of one latent item."""
    from simulator.program.calendar import item_sd

    return item_sd(visits.noise.alsfrs_r_points.value)
