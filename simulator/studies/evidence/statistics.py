"""The statistics that published rows report, each a function of a sample.

Those in LOGARITHMIC give the logarithm of a ratio.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulator.analysis import moments
from simulator.analysis.moments import Estimate
from simulator.results.variables import KINGS
from simulator.studies.evidence import persons, regression
from simulator.studies.evidence.sample import Figure, Floats, Sample, figure
from simulator.units import DAYS_PER_MONTH, DAYS_PER_YEAR

Statistic = Callable[[Sample], Figure]


def _change(s: Sample) -> Floats:
    name = s.target.endpoint
    return s.truth(name, s.target.day) - s.truth(name, 0)


def _log_change(s: Sample) -> Floats:
    name = s.target.endpoint
    return np.log(s.truth(name, s.target.day)) - np.log(s.truth(name, 0))


def _over(s: Sample, values: Floats) -> Estimate:
    """Mean over everybody as if alive, or over those alive."""
    return moments.mean(values) if s.target.estimand == "as_if_alive" else moments.mean_over(values, s.alive)


def mean_change(s: Sample) -> Figure:
    """Mean change from baseline as visits measure it: with the entry effect of a trial."""
    return figure(_over(s, _change(s) + s.entry_effect), s.size, 2 * s.noise(s.target.endpoint) ** 2)


def true_change(s: Sample) -> Figure:
    """Mean change from baseline of the truth."""
    return figure(_over(s, _change(s)), s.size)


def ratio_to_baseline(s: Sample) -> Figure:
    """Mean logarithm of the ratio to baseline."""
    return figure(_over(s, _log_change(s)), s.size, 2 * s.noise(s.target.endpoint) ** 2)


def mean_percent_change(s: Sample) -> Figure:
    """Mean of each one's measured change in per cent, among those measured."""
    percent = 100 * (s.observed(s.target.endpoint, s.target.day) / s.observed(s.target.endpoint, 0) - 1)
    measured = percent[np.isfinite(percent)]
    return figure(moments.mean(measured), len(measured))


def sd_of_change(s: Sample) -> Figure:
    """SD of measured changes among those measured."""
    change = s.observed(s.target.endpoint, s.target.day) - s.observed(s.target.endpoint, 0)
    return figure(moments.standard_deviation(change[np.isfinite(change)]), s.size)


def _baseline(s: Sample) -> Floats:
    """Measured at the first visit, or known about the patient."""
    name = s.target.endpoint
    measured = name in s.result.groups["observed"]
    values = s.observed(name, 0) if measured else s.people(name).astype(float)
    return values[np.isfinite(values)]


def baseline_mean(s: Sample) -> Figure:
    """Mean at baseline."""
    return figure(moments.mean(_baseline(s)), s.size)


def baseline_median(s: Sample) -> Figure:
    """Median at baseline."""
    return figure(median(_baseline(s)), s.size)


def visit_median(s: Sample) -> Figure:
    """Median of what is measured at the visit of the target's day."""
    values = s.observed(s.target.endpoint, s.target.day)
    values = values[np.isfinite(values)]
    return figure(median(values), len(values))


def median(values: Floats) -> Estimate:
    """Median, with the influence sign(x − median)/(2 f(median))."""
    value, spread = float(np.median(values)), median_spread(values)
    return Estimate(value, spread / np.sqrt(len(values)), len(values), spread * np.sign(values - value))


def median_spread(values: Floats) -> float:
    """SD that one person adds to a median, 1/(2 f(m)): the density from the quantiles at 0.45 and 0.55."""
    low, high = np.quantile(values, [0.45, 0.55])
    return float(0.5 * (high - low) / 0.1)


def percent_not_declined(s: Sample) -> Figure:
    """Per cent whose measured value is not below baseline, among those measured."""
    change = s.observed(s.target.endpoint, s.target.day) - s.observed(s.target.endpoint, 0)
    return figure(moments.scaled(moments.mean_over(change >= 0, np.isfinite(change)), 100), s.size)


def event_free(s: Sample) -> Figure:
    """Share without death or PAV."""
    return figure(moments.proportion(~s.ended), s.size)


def event_percent(s: Sample) -> Figure:
    """Per cent with death or PAV."""
    return figure(moments.scaled(moments.proportion(s.ended), 100), s.size)


def in_follow_up(s: Sample) -> Figure:
    """Number alive who have not dropped out, of the participants published."""
    here = s.alive & ~(s.events("dropout_time") <= s.target.day)
    return figure(moments.scaled(moments.proportion(here), s.target.n or 1), s.size)


def percent_gone(s: Sample) -> Figure:
    """Per cent who have died or dropped out by the target's day."""
    here = s.alive & ~(s.events("dropout_time") <= s.target.day)
    return figure(moments.scaled(moments.proportion(~here), 100), s.size)


def deaths(s: Sample) -> Figure:
    """Number of deaths among the participants published, two treated to one untreated."""
    arms = [s._replace(arm=arm) for arm in ("early_start", "early_start", "delayed_start")]
    share = np.mean([~arm.alive for arm in arms], axis=0)
    dead = moments.scaled(moments.mean(share), s.target.n or 1)
    p = float(share.mean())
    return Figure(dead, p * (1 - p) * (s.target.n or 1) ** 2)


def cumulative_hazard(s: Sample) -> Figure:
    """Logarithm of the cumulative hazard of the event, or of death."""
    happened = ~s.alive if s.target.endpoint == "death" else s.ended
    free = moments.proportion(~happened)
    slope = 1 / (free.value * np.log(free.value))
    assert free.influence is not None
    return figure(moments.from_influence(float(np.log(-np.log(free.value))), slope * free.influence), s.size)


def _from_onset(s: Sample) -> Floats:
    """Years from onset to death or PAV."""
    return s.events("event_free_time") / DAYS_PER_YEAR + s.people("time_since_onset") * DAYS_PER_MONTH / DAYS_PER_YEAR


def survival_median(s: Sample) -> Figure:
    """Median years from onset to death or PAV."""
    return _median(s, _from_onset(s))


def event_free_median(s: Sample) -> Figure:
    """Median years from baseline to death or PAV."""
    return _median(s, s.events("event_free_time") / DAYS_PER_YEAR)


def _median(s: Sample, years: Floats) -> Figure:
    """Everybody is followed to the end, so that the median is that of the times if half had the event."""
    reached = float(np.mean(s.events("event") > 0)) > 0.55
    return figure(median(years) if reached else Estimate(np.nan, np.nan, s.size), s.size)


def event_free_mean(s: Sample) -> Figure:
    """Mean years without death or PAV until the target's day (restricted mean)."""
    return figure(
        moments.scaled(moments.restricted_mean(s.events("event_free_time"), s.target.day), 1 / DAYS_PER_YEAR), s.size
    )


def survival_mean(s: Sample) -> Figure:
    """Mean years from onset to death or PAV."""
    return figure(moments.mean(_from_onset(s)), s.size)


def survival_sd(s: Sample) -> Figure:
    """SD of the years from onset to death or PAV."""
    return figure(moments.standard_deviation(_from_onset(s)), s.size)


def reliability(s: Sample) -> Figure:
    """Share of the variance of measured values that is between people: 1 − σ²/var(measured)."""
    spread = moments.standard_deviation(_baseline(s))
    noise = s.noise(s.target.endpoint) ** 2
    error = 2 * noise / spread.value**3 * spread.mcse
    return figure(Estimate(1 - noise / spread.value**2, error, s.size), s.size)


def kings_2_begins(s: Sample) -> Figure:
    """Median share of the course at which King's stage 2 begins, of those who reach it."""
    return _begins(s, 2)


def kings_3_begins(s: Sample) -> Figure:
    """As `kings_2_begins`, stage 3."""
    return _begins(s, 3)


def kings_4_begins(s: Sample) -> Figure:
    """As `kings_2_begins`, stage 4: 4B, for nobody has a feeding tube there (4A)."""
    return _begins(s, KINGS.index("4B"))


def _begins(s: Sample, code: int) -> Figure:
    """First day of a stage on the grid of the run, as a share of the days from entry to death."""
    stage = s.result.groups["truth"]["kings_stage"].values[s.result.arm_index(s.arm), s.who]
    reached = (stage >= code) & (stage < KINGS.index("death"))
    share = (s.result.time[reached.argmax(axis=1)] / s.events("death_time"))[reached.any(axis=1)]
    share = share[np.isfinite(share)]
    return figure(median(share), s.size)


STATISTICS: dict[str, Statistic] = {
    function.__name__: function
    for function in (
        mean_change, true_change, ratio_to_baseline, mean_percent_change, sd_of_change, baseline_mean, baseline_median,
        visit_median, percent_not_declined, event_free, event_percent, in_follow_up, percent_gone, deaths,
        cumulative_hazard, kings_2_begins, kings_3_begins, kings_4_begins,
        survival_median, survival_mean, survival_sd, event_free_median, event_free_mean, reliability,
        regression.monthly_slope, regression.hazard_ratio_of_rate, regression.hazard_ratio_of_tertiles,
        regression.hazard_ratio_of_variants, regression.rank_correlation, regression.day_of_fall,
        regression.dose_of_highest_trough, regression.injury_lead,
        persons.person_mean, persons.person_sd, persons.person_quantile, persons.percent_not_negative,
        persons.percent_positive, persons.correlation_of_slopes, persons.ratio_of_slopes, persons.difference_of_groups,
    )
}  # fmt: skip
LOGARITHMIC = {
    "ratio_to_baseline",
    "cumulative_hazard",
    "hazard_ratio_of_rate",
    "hazard_ratio_of_tertiles",
    "hazard_ratio_of_variants",
}
SURVIVAL_QUANTILES = {"survival_median", "event_free_median"}
EXACT = {"dose_of_highest_trough", "injury_lead"}
