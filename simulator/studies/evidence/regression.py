"""Statistics of several variables or several times: slopes, hazard ratios, correlations; and two closed forms."""

from __future__ import annotations

import numpy as np

from simulator.analysis.moments import Estimate, mean_over
from simulator.mechanisms.antisense.spec import Antisense
from simulator.models.clock.spec import ClockSpec
from simulator.models.regions.spec import RegionsSpec
from simulator.studies.evidence.sample import Figure, Floats, Sample, figure
from simulator.units import DAYS_PER_MONTH

FULL_FALL = 0.95
RESAMPLES = 200


def monthly_slope(s: Sample) -> Figure:
    """Mean of the persons' own slopes a month, each by least squares over the times at which they are alive.

    That is what the population slope of a model with random intercepts and slopes estimates. People who die before
    the second time have no slope.
    """
    days = s.result.time[s.result.time <= s.target.day]
    y = np.stack([s.truth(s.target.endpoint, day) for day in days], axis=1)
    alive = ~(s.events("death_time")[:, None] <= days)
    count = alive.sum(axis=1, keepdims=True)
    t = np.where(alive, days / DAYS_PER_MONTH, 0.0)
    t = np.where(alive, t - t.sum(axis=1, keepdims=True) / count, 0.0)
    kept, bottom = count[:, 0] > 1, np.maximum((t * t).sum(axis=1), 1e-9)
    slopes = np.where(kept, (t * y).sum(axis=1) / bottom, 0.0)
    noise = s.noise(s.target.endpoint) ** 2 * float(np.mean(1 / bottom[kept]))
    return figure(mean_over(slopes, kept), s.size, noise)


def log_hazard_ratio(x: Floats, time: Floats, happened: Floats) -> Estimate:
    """Log hazard ratio a unit of x with a constant baseline hazard, by maximum likelihood.

    With deaths d and times T it solves Σdx/Σd = ΣTx e^(bx)/ΣT e^(bx); the information is Σd times the weighted
    variance of x.
    """
    from scipy.optimize import brentq

    centred = x - x.mean()

    def weighted(b: float) -> tuple[float, float]:
        weight = time * np.exp(b * centred)
        mean = float(np.average(centred, weights=weight))
        return mean, float(np.average((centred - mean) ** 2, weights=weight))

    wanted = float(np.average(centred, weights=happened))
    slope = brentq(lambda b: weighted(b)[0] - wanted, -20 / np.ptp(x), 20 / np.ptp(x))
    return Estimate(slope, float(1 / np.sqrt(happened.sum() * weighted(slope)[1])), len(x))


def _followed(s: Sample) -> tuple[Floats, Floats]:
    """Time at risk and whether death or PAV ended it, by the target's day."""
    return np.minimum(s.events("event_free_time"), s.target.day), s.ended.astype(float)


def hazard_ratio_of_rate(s: Sample) -> Figure:
    """Log hazard ratio a point a month of the rate of progression since onset, measured at baseline."""
    return figure(log_hazard_ratio(_rate(s), *_followed(s)), s.size)


def hazard_ratio_of_tertiles(s: Sample) -> Figure:
    """Log hazard ratio of the top against the bottom third of the measured baseline."""
    values = s.observed(s.target.endpoint, 0)
    low, high = np.nanquantile(values, [1 / 3, 2 / 3])
    kept = (values <= low) | (values >= high)
    time, happened = _followed(s)
    return figure(log_hazard_ratio((values >= high)[kept].astype(float), time[kept], happened[kept]), s.size)


def hazard_ratio_of_variants(s: Sample) -> Figure:
    """Log hazard ratio of the group against the variant `of`, from onset, by Cox's partial likelihood.

    Everybody is followed to the event or the end of follow-up, on the time since onset.
    """
    from scipy.optimize import brentq

    people, events = s.result.groups["patients"], s.result.groups["events"]
    variant, arm = people["variant"].values, s.result.arm_index(s.arm)
    mine = (variant == s.target.group) | (variant == s.target.of)
    time = events["event_free_time"].values[arm, mine] / DAYS_PER_MONTH + people["time_since_onset"].values[mine]
    order = np.argsort(time)
    inside = (variant[mine] == s.target.group)[order].astype(float)
    happened = events["event"].values[arm, mine][order] > 0
    left = np.cumsum(inside[::-1])[::-1]
    rest = np.arange(len(order), 0, -1) - left

    def share(slope: float) -> Floats:
        return left * np.exp(slope) / (left * np.exp(slope) + rest)

    def gradient(slope: float) -> float:
        return float(((inside - share(slope)) * happened).sum())

    slope = float(brentq(gradient, -20, 20))
    p = share(slope)[happened]
    return figure(Estimate(slope, float(1 / np.sqrt((p * (1 - p)).sum())), len(order)), len(order))


def _rate(s: Sample) -> Floats:
    """Points lost a month since onset, measured at baseline."""
    return (48 - s.observed("alsfrs_r", 0)) / s.people("time_since_onset")


def rank_correlation(s: Sample) -> Figure:
    """Spearman correlation of the measured baseline with the rate of progression."""
    from scipy.stats import spearmanr

    r = float(spearmanr(s.observed(s.target.endpoint, 0), _rate(s)).statistic)
    return figure(Estimate(r, (1 - r**2) / np.sqrt(s.size - 1), s.size), s.size)


def day_of_fall(s: Sample) -> Figure:
    """First day by which the geometric mean has made 95 % of its fall to the target's day.

    The sampling SD is that of resamples of the participants published, with the noise of measuring.
    """
    days = s.result.time[s.result.time <= s.target.day]
    log = np.log(np.stack([s.truth(s.target.endpoint, day) for day in days], axis=1))
    log -= log[:, :1]
    n, rng = int(s.target.n or s.size), np.random.default_rng(1)
    picks = rng.integers(0, len(log), (RESAMPLES, n))
    noise = rng.normal(0, s.noise(s.target.endpoint) * np.sqrt(2 / n), (RESAMPLES, len(days)))
    noise[:, 0] = 0
    spread = float(
        np.std([_day_reached(days, log[pick].mean(axis=0) + e) for pick, e in zip(picks, noise, strict=True)])
    )
    return Figure(Estimate(_day_reached(days, log.mean(axis=0)), 0.0, s.size), spread**2 * n)


def _day_reached(days: Floats, curve: Floats) -> float:
    return float(days[np.flatnonzero(curve <= FULL_FALL * curve[-1])[0]])


def dose_of_highest_trough(s: Sample) -> Figure:
    """Number of the dose before which the amount left of the earlier ones is highest."""
    drug = next(t for t in s.scenario.treatments.values() if isinstance(t, Antisense))
    loading, every = drug.regimen.loading_days, drug.regimen.every_days
    days = np.array([*loading, *(loading[-1] + every * k for k in range(1, 12))], float)
    earlier = np.tril(np.subtract.outer(days, days), -1)
    left = np.where(earlier > 0, 0.5 ** (earlier / float(drug.tissue.half_life_days)), 0.0).sum(axis=1)
    return Figure(Estimate(float(left.argmax() + 1), 0.0, 0), 0.0)


def injury_lead(s: Sample) -> Figure:
    """Months by which neurofilament rises before onset: lead on the clock times median D50."""
    clock = s.scenario.progression
    assert isinstance(clock, ClockSpec | RegionsSpec), "rows are read from scenarios with a clock"
    months = float(clock.neurofilament.lead) * clock.d50_months[s.target.group].terms()[1]
    return Figure(Estimate(months, 0.0, 0), 0.0)
