"""The marginal likelihood of each person, by importance sampling, as a smooth function of the parameters.

One crowd of simulated people serves everybody. Where a value moves the distribution of a trait, people are re-weighted
by the ratio of densities; where it moves the hazard or the noise, the probabilities of what was measured are computed
anew; where it moves courses, the crowd is simulated again with the same random numbers.

References
----------
Kuk & Cheng (1997), The Monte Carlo Newton-Raphson algorithm, doi:10.1080/00949659708811858.
Owen (2013), Monte Carlo theory, methods and examples, chapter 9 (self-normalised importance sampling).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.errors import UsageError
from simulator.models.density import has_spread, log_density
from simulator.studies.fit.hazard import Hazard, Leaving, density_of, is_by_truth
from simulator.studies.fit.parameters import Free, settings
from simulator.studies.fit.people import bounds
from simulator.studies.fit.pool import Crowd, crowd, lifted
from simulator.studies.person import items
from simulator.studies.person.likelihood import MEASURED, POINTS, Day, best, between, fit
from simulator.studies.twins.matching import alike, domains_of, noise_of_item

if TYPE_CHECKING:
    from simulator.language.care import Visits
    from simulator.language.scenario import Scenario
    from simulator.studies.fit.people import People
    from simulator.studies.twins.cohort import Case, Reading

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
BATCHES = 16
"""Equal parts of a crowd, whose differences are the Monte Carlo error."""
MOST_BIAS, LOWEST = 1.0, 3.0
"""The most that the correction of one person's log-likelihood may be, and that one part of the crowd may take away."""
WIDER = 1.35
"""Spreads that are fitted are simulated so much wider, so that ratios of densities stay small."""
LEAST_WIDE = 0.4
"""And never narrower than so much of what the scenario begins with: of a crowd without spread nobody is elsewhere."""
RECOMPUTED = ("progression.survival.", "visits.noise.", "visits.entry_effect_points", "attrition.")
SPREADS = ("sd", "log_sd", "tau_log_sd")
CACHE_BYTES = 1 << 30
RULER = np.linspace(-8.0, 60.0, 8705)
SMALLEST = 1e-30
EASY, COARSE = 4, 250.0
"""One of so many of the crowd is looked at for people whose effective number is at least this without the others."""
NEGLIGIBLE = 16.0
"""Difference of logarithms from which on a weight is none: another setting nearby must not need it."""


class Setting(NamedTuple):
    """What does not change in a fit: who, with which scenario, how many simulated people.

    `given` : [d] the likelihood is that of what came after this day, given what was measured by then; None: of all.
    """

    scenario: Scenario
    free: tuple[Free, ...]
    people: People
    size: int
    seed: int
    threads: int
    given: int | None = None
    hard: frozenset[int] = frozenset()

    def is_hard(self, person: int) -> bool:
        """Whether all of the crowd is looked at for a person; for the others one in four is enough."""
        return person in self.hard


class Each(NamedTuple):
    """Sums behind the likelihood of each of n people: (n, batch) above and below the line, (n,) their common log."""

    above: Floats
    below: Floats
    log: Floats

    @property
    def value(self) -> Floats:
        """(n,) log-likelihoods, without the bias of a logarithm of a mean (jackknife over batches)."""
        plain = self._plain
        return np.asarray(plain + np.clip((BATCHES - 1) * (plain - self.without.mean(axis=0)), 0.0, MOST_BIAS))

    @property
    def _plain(self) -> Floats:
        above, below = self.above.sum(axis=1), self.below.sum(axis=1)
        return np.asarray(np.log(np.maximum(above, SMALLEST)) - np.log(np.maximum(below, SMALLEST)) + self.log)

    @property
    def without(self) -> Floats:
        """(batch, n) log-likelihoods without one batch each, bias and all; where one batch is nearly all, a floor."""
        above = self.above.sum(axis=1)[None] - self.above.T
        below = self.below.sum(axis=1)[None] - self.below.T
        found = np.log(np.maximum(above, SMALLEST)) - np.log(np.maximum(below, SMALLEST)) + self.log
        return np.asarray(np.maximum(found, self._plain - LOWEST))


class Sparse(NamedTuple):
    """Weights of a crowd of m for each of n people, those that are not negligible.

    `edge` : (n, batch + 1) where the batches of a person begin in `rows`, (k,) numbers in the crowd, and `weight`.
    """

    edge: NDArray[np.int64]
    rows: NDArray[np.int32]
    weight: Singles

    def sums(self, ratio: Singles) -> Floats:
        """(n, batch) sums of weights times a factor of everybody of the crowd : (m,)."""
        below = np.concatenate([[0.0], np.cumsum(self.weight * ratio[self.rows], dtype=np.float64)])
        return np.asarray(np.diff(below[self.edge], axis=1))


def sparse(parts: Sequence[tuple[NDArray[np.int64], Floats]], size: int) -> Sparse:
    """Rows (rising) and weights of each person, as one."""
    batches = np.arange(BATCHES + 1) * (size // BATCHES)
    starts = np.concatenate([[0], np.cumsum([len(rows) for rows, _ in parts])])
    edge = np.stack([start + np.searchsorted(rows, batches) for start, (rows, _) in zip(starts, parts, strict=False)])
    rows = np.concatenate([rows for rows, _ in parts]).astype(np.int32)
    return Sparse(edge, rows, np.concatenate([one for _, one in parts]).astype(np.float32))


class Weights(NamedTuple):
    """Probabilities of what was measured, over exp(log) of each person; of what is given; hazard used up by entry.

    `which` : (n,) the row of `below` that is each person's.
    """

    above: Sparse
    below: Sparse
    log: Floats
    entry: Floats
    which: NDArray[np.int64]

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return sum(one.nbytes for part in (self.above, self.below) for one in part)


class Surface:
    """Log-likelihoods of the people at parameter vectors near a proposal.

    Parameters
    ----------
    setting : what does not change. proposal : (p,) the vector from which the crowd is simulated.
    """

    def __init__(self, setting: Setting, proposal: Floats) -> None:
        self.setting, self.proposal = setting, proposal.copy()
        self._density = density_of(setting.scenario)
        self._crowds: OrderedDict[tuple[float, ...], tuple[Crowd, Floats, Floats]] = OrderedDict()
        self._weights: OrderedDict[tuple[float, ...], Weights] = OrderedDict()
        self.kinds = tuple(kind_of(setting.scenario, one.address) for one in setting.free)
        self._simulated = np.array([kind == "simulated" for kind in self.kinds], np.bool_)
        self._direct = np.array([kind != "weighed" for kind in self.kinds], np.bool_)

    def each(self, t: Floats) -> Each:
        """Likelihoods at a vector."""
        weights, ratio, _ = self._ratio(t)
        above, below = weights.above.sums(ratio), weights.below.sums(ratio)
        return Each(above, below[weights.which], weights.log)

    def values(self, t: Floats) -> Floats:
        """(n,) log-likelihoods at a vector."""
        return self.each(t).value

    def posterior(self, t: Floats) -> tuple[Sparse, Crowd]:
        """Weights of the crowd for each person, adding up to 1, and the crowd."""
        weights, ratio, people = self._ratio(t)
        above = weights.above
        own = above.weight * ratio[above.rows]
        totals = np.maximum(above.sums(ratio).sum(axis=1), 1e-30)
        return above._replace(
            weight=(own / np.repeat(totals, np.diff(above.edge[:, [0, -1]])[:, 0])).astype(np.float32)
        ), people

    def ratio(self, t: Floats) -> Floats:
        """(m,) how much likelier everybody of the crowd is at a vector than where the crowd was simulated."""
        return self._ratio(t)[1].astype(np.float64)

    def _ratio(self, t: Floats) -> tuple[Weights, Singles, Crowd]:
        """Weights of a vector, and how much likelier everybody of the crowd is there than where it was simulated."""
        scenario = self._at(t)
        people, density, entered = self._crowd(t)
        weights = self._weights_of(t, scenario, people)
        log = self._log_density(scenario, people) - density - (weights.entry - entered)
        return weights, np.exp(log - log.max()).astype(np.float32), people

    def _at(self, t: Floats) -> Scenario:
        return self.setting.scenario.replace(settings(self.setting.free, t))

    def _log_density(self, scenario: Scenario, people: Crowd) -> Floats:
        """(m,) log-density of traits and of entry."""
        found = self._density.log_densities(scenario.progression, people.patients)
        entry = scenario.entry
        if entry.time_since_onset_months is not None:
            found = found + log_density(entry.time_since_onset_months, people.patients["time_since_onset"])
        elif entry.disease_time is not None:
            found = found + log_density(entry.disease_time, people.clock[:, 0].astype(np.float64))
        return np.asarray(found, np.float64)

    def _crowd(self, t: Floats) -> tuple[Crowd, Floats, Floats]:
        """The crowd of a vector; its log-density, and the hazard used up by entry, where it was simulated."""
        key = tuple(t[self._simulated].tolist())
        if key in self._crowds:
            self._crowds.move_to_end(key)
            return self._crowds[key]
        where = np.where(self._simulated, t, self.proposal)
        scenario = self._at(where).replace(self._wider(where))
        setting = self.setting
        made = crowd(scenario, setting.people, setting.size, seed=setting.seed, threads=setting.threads,
                     dropout=is_by_truth(setting.scenario))  # fmt: skip
        self._crowds[key] = (made, self._log_density(scenario, made), Hazard(made, scenario, "").at_entry)
        _keep(self._crowds, 8)
        return self._crowds[key]

    def _wider(self, t: Floats) -> dict[str, float]:
        """Settings of spreads that are simulated wider than they are."""
        return {
            one.address: max(WIDER * one.value(float(x)), LEAST_WIDE * one.start)
            for one, x, direct in zip(self.setting.free, t, self._direct, strict=True)
            if not direct and one.address.rpartition(".")[2] in SPREADS
        }

    def _weights_of(self, t: Floats, scenario: Scenario, people: Crowd) -> Weights:
        key = tuple(t[self._direct].tolist())
        if key not in self._weights:
            self._weights[key] = weigh(self.setting, scenario, people)
            _keep(self._weights, max(int(CACHE_BYTES // max(self._weights[key].nbytes, 1)), 2))
        self._weights.move_to_end(key)
        return self._weights[key]


def _keep(cache: OrderedDict[tuple[float, ...], Any], most: int) -> None:
    while len(cache) > most:
        cache.popitem(last=False)


def kind_of(scenario: Scenario, address: str) -> str:
    """How another value of an address is taken account of: `weighed`, `recomputed` or `simulated`."""
    if address.startswith(RECOMPUTED):
        return "recomputed"
    entry = scenario.entry
    ways = {"entry.time_since_onset_months.": entry.time_since_onset_months, "entry.disease_time.": entry.disease_time}
    prefixes = [way for way, one in ways.items() if one is not None and has_spread(one)]
    if address.startswith((*density_of(scenario).weighed(scenario.progression), *prefixes)):
        return "weighed"
    return "simulated"


def weigh(setting: Setting, scenario: Scenario, people: Crowd) -> Weights:
    """Probabilities of what was measured of everybody, for each of the crowd."""
    found = setting.people
    hazard = Hazard(people, scenario, found.endpoint)
    leaving = Leaving(people, scenario) if is_by_truth(scenario) else None
    measured = _Measured(lifted(people, scenario, found.past), scenario.visits, found.past)
    eligible = _eligible(setting, measured, people)

    def stayed(rows: NDArray[np.int64]) -> Floats | float:
        """Log-probability to be there on the day that is given."""
        if not setting.given:
            return 0.0
        found = hazard.log_probability(setting.given, False, rows)
        return found if leaving is None else found + leaving.log_probability(setting.given, False, rows)

    def one(k: int) -> tuple[Part, Part, float]:
        case, end, event = found.cases[k], float(found.end[k]), bool(found.event[k])
        rows, log = _start(case, people, 1 if setting.is_hard(k) else EASY)
        known = 0 if setting.given is None else sum(each.day <= setting.given for each in case.readings)
        given = (rows, np.exp(log + stayed(rows)) * eligible[rows])
        for number, reading in enumerate(case.readings):
            rows, log = _pruned(rows, log + measured.log(reading, rows))
            if number + 1 == known:
                given = (rows, np.exp(log + stayed(rows)))
        log = log + hazard.log_probability(end, event, rows)
        if leaving is not None:
            log = log + leaving.log_probability(float(found.stayed[k]), bool(found.dropped[k]), rows)
        rows, log = _pruned(rows, log)
        top = float(log.max())
        return (rows, np.exp(log - top)), given, top

    with ThreadPoolExecutor(setting.threads) as workers:
        each = list(workers.map(one, range(found.n)))
    log = np.array([top for *_, top in each])
    above = sparse([above for above, *_ in each], people.n)
    if setting.given is not None or any(_has_traits(case) for case in found.cases):
        return Weights(
            above, sparse([given for _, given, _ in each], people.n), log, hazard.at_entry, np.arange(found.n)
        )
    shared = [(rows, eligible[rows]) for rows in (_every(people.n, EASY), _every(people.n, 1))]
    which = np.array([int(setting.is_hard(k)) for k in range(found.n)])
    return Weights(above, sparse(shared, people.n), log, hazard.at_entry, which)


Part = tuple[NDArray[np.int64], Floats]


def _every(size: int, step: int) -> NDArray[np.int64]:
    return np.arange(0, size, step)


def _start(case: Case, people: Crowd, step: int) -> Part:
    """Who of the crowd is looked at, and the logarithm of how well what is known of the person agrees with each."""
    if not _has_traits(case):
        rows = _every(people.n, step)
        return rows, np.zeros(len(rows))
    looked = np.zeros(people.n, np.bool_)
    looked[::step] = True
    rows, like = alike(case, people.patients, looked)
    if not len(rows):
        raise UsageError("nobody simulated has the traits of one of the participants. Take a larger --crowd")
    return rows, np.log(like)


def _pruned(rows: NDArray[np.int64], log: Floats) -> Part:
    """Without those whose weight is negligible beside the largest."""
    kept = log > log.max() - NEGLIGIBLE
    return rows[kept], log[kept]


def _has_traits(case: Case) -> bool:
    return bool(case.sex or case.sites or case.variant) or bool(np.isfinite(case.age) or np.isfinite(case.since_onset))


class _Ruler(NamedTuple):
    """Truths at which a probability is looked up."""

    patients: dict[str, NDArray[np.generic]]
    truth: dict[str, NDArray[np.generic]]

    def has(self, _name: str) -> bool:
        return False


class _Measured:
    """Log-probabilities of measurements; of totals from a table."""

    def __init__(self, people: Crowd, visits: Visits, past: Sequence[int]) -> None:
        self.people, self.visits, self.past = people, visits, past
        self.looked_up = visits.scoring == "total" and "alsfrs_r" in people.truth
        if self.looked_up:
            step = RULER[1] - RULER[0]
            truth = people.truth["alsfrs_r"][0]
            self.index = np.clip(np.rint((truth - RULER[0]) / step), 0, len(RULER) - 1).astype(np.int16).T.copy()

    def log(self, reading: Reading, rows: NDArray[np.int64]) -> Floats:
        """(k,) of a figure, written down to half of its last digit, for some of the crowd."""
        width, at = MEASURED[reading.name][1], self.past.index(reading.day)
        top = np.log(best(self.visits, reading.name, reading.value, width))
        if reading.name == "alsfrs_r" and self.looked_up:
            ruler = Day(_Ruler({}, {"alsfrs_r": RULER[None, :, None]}), 0, self.visits)
            table = np.log(np.maximum(fit(ruler, "alsfrs_r", reading.value, width), SMALLEST)) + top
            return np.asarray(table[self.index[at][rows]])
        own = fit(Day(self.people, at, self.visits, rows), reading.name, reading.value, width)
        return np.asarray(np.log(np.maximum(own, SMALLEST)) + top)

    def within(self, name: str, low: Floats | float, high: Floats | float) -> Floats:
        """(m,) probability that baseline measures from low to high, both included."""
        day, noise = Day(self.people, self.past.index(0), self.visits), self.visits.noise
        if name == "nfl_plasma":
            logs = np.log(np.maximum(low, SMALLEST)), np.log(np.maximum(high, SMALLEST))
            return between(np.log(day.truth(name)), *logs, noise.nfl_log_sd.value)
        if name == "svc_percent":
            return between(day.truth("svc"), low, high, noise.svc_percent.value)
        least, most = np.broadcast_to(low, self.people.n), np.broadcast_to(high, self.people.n)
        if self.visits.scoring == "items":
            law = items.total_law(domains_of(day), day.trait("steepness"), noise_of_item(self.visits))
            points = np.arange(law.shape[1])
            return np.asarray((law * ((points >= least[:, None]) & (points <= most[:, None]))).sum(axis=1))
        lower, upper = np.where(least <= 0, -np.inf, least - 0.5), np.where(most >= POINTS, np.inf, most + 0.5)
        return between(day.truth("alsfrs_r"), lower, upper, noise.alsfrs_r_points.value)


def _eligible(setting: Setting, measured: _Measured, people: Crowd) -> Floats:
    """(m,) probability that screening finds each of the crowd eligible, by what it measures on day 0."""
    rule, found = setting.people.rule, np.ones(people.n)
    if rule is None:
        return found
    score = bounds(rule.alsfrs_r)
    rate = bounds(rule.progression_rate)
    if rule.alsfrs_r is not None or rule.progression_rate is not None:
        months = np.asarray(people.patients["time_since_onset"], np.float64)
        low = np.maximum(score[0], 48 - rate[1] * months) if np.isfinite(rate[1]) else np.full(people.n, score[0])
        high = np.minimum(score[1], 48 - rate[0] * months) if np.isfinite(rate[0]) else np.full(people.n, score[1])
        found = found * measured.within("alsfrs_r", np.ceil(low - 1e-9), np.floor(high + 1e-9))
    for name, limits in (("svc_percent", rule.svc_percent), ("nfl_plasma", rule.nfl_plasma)):
        if limits is not None:
            found = found * measured.within(name, *bounds(limits))
    return found
