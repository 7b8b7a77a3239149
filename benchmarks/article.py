"""The article's figures, in the linear model that takes them at their word and in the calibrated clock model.

Prints the tables of docs/article.md: `python -m benchmarks.article`; `tests/project/test_article.py` compares.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np

import simulator as sim
from simulator.analysis.survival import kaplan_meier, median
from simulator.units import DAYS_PER_MONTH, DAYS_PER_WEEK, DAYS_PER_YEAR

PATIENTS, SEED = 5000, 1
YEAR, TWO_YEARS, THREE_YEARS, DAY_48_WEEKS, DAY_18_MONTHS = 365, 730, 1096, 336, 548
DAYS = [YEAR, TWO_YEARS, THREE_YEARS, DAY_48_WEEKS, DAY_18_MONTHS]
FOLLOW_UP_DAYS = 10_957
HAZARD_RATIO, GAIN_MONTHS = 0.82, 6.2  # A05, A06
EXTENSION_MONTHS = 24.0  # A07
SLOPE, SLOPE_TREATED = 1.1, 0.6  # A10, points a quarter
FVC, FVC_TREATED = 4.5, 2.3  # A11, % predicted a year
SAVED_POINTS, P_VALUE = 1.4, 0.032  # A03, A04
PARTICIPANTS = (72, 36)  # VALOR
MEDIAN_SOD1_MONTHS = 32.4  # NH-03, from onset
PUBLISHED_INTERVAL = (-1.3, 4.1)  # VAL-17, points


class Line(NamedTuple):
    """One figure: what the article says, and what each model gives."""

    claim: str
    figure: str
    article: str
    linear: str
    clock: str


class Run(NamedTuple):
    """A run of one model, and its two arms that are compared."""

    result: sim.Result
    untreated: int
    treated: int

    def truth(self, name: str, day: int) -> np.ndarray:
        """(arm, patient) untreated and treated, as if alive."""
        values = self.result.groups["truth"][name].values[[self.untreated, self.treated]]
        return values[:, :, list(self.result.time).index(day)].astype(np.float64)

    def change(self, name: str, day: int) -> np.ndarray:
        """Mean change from baseline of each arm."""
        return (self.truth(name, day) - self.truth(name, 0)).mean(axis=1)

    def events(self, days: float) -> np.ndarray:
        """Share of each arm with an event by a day."""
        events = self.result.groups["events"]
        happened = (events["event"].values > 0) & (events["event_free_time"].values <= days)
        return happened[[self.untreated, self.treated]].mean(axis=1)

    def medians(self) -> list[float]:
        """Median months from baseline to the event of each arm."""
        events = self.result.groups["events"]
        times, happened = (events[name].values for name in ("event_free_time", "event"))
        arms = (self.untreated, self.treated)
        return [median(kaplan_meier(times[a], happened[a] > 0)).value / DAYS_PER_MONTH for a in arms]


@cache
def run(scenario: str, untreated: str, treated: str) -> Run:
    """A scenario followed until nearly everybody has had the event."""
    changes = {
        "trial.analysis_days": sorted(DAYS),
        "follow_up_days": FOLLOW_UP_DAYS,
        "output.every_days": FOLLOW_UP_DAYS,
        "visits.every_days": 91,
    }
    result = sim.simulate(sim.load(scenario).replace(changes), patients=PATIENTS, seed=SEED)
    return Run(result, result.arm_index(untreated), result.arm_index(treated))


def lines() -> list[Line]:
    """The first table: each figure beside both models."""
    both = run("article", "untreated", "tofersen"), run("valor", "untreated", "early_start")
    rows = [
        ("A10", "ALSFRS-R, points a quarter over two years, untreated; treated", "−1.1; −0.6", _per_quarter),
        ("A11", "vital capacity, % predicted in the first year, untreated; treated", "−4.5; −2.3", _breathing),
        ("A03", "ALSFRS-R kept at 48 weeks, points", "1.4", _kept),
        ("A09", "NfL after 12 months of treatment", "−28 %", lambda one: _fall(one, YEAR)),
        ("A08", "NfL after 18 months of treatment", "−31 %", lambda one: _fall(one, DAY_18_MONTHS)),
        ("A05", "hazard ratio over 24 months", "0.82", _hazard_ratio),
        ("A06", "median survival from the first dose, months, untreated; treated", "gain of 6.2", _medians),
        ("A12", "no decline over three years, treated", "25 %", _stable),
    ]
    return [Line(claim, figure, article, *(value(one) for one in both)) for claim, figure, article, value in rows]


def _pair(values: np.ndarray, digits: int) -> str:
    return "; ".join(f"{x:.{digits}f}".replace("-", "−") for x in values)


def _per_quarter(one: Run) -> str:
    return _pair(one.change("alsfrs_r", TWO_YEARS) / (4 * TWO_YEARS / DAYS_PER_YEAR), 2)


def _breathing(one: Run) -> str:
    return _pair(one.change("svc", YEAR), 1)


def _kept(one: Run) -> str:
    return f"{np.diff(one.change('alsfrs_r', DAY_48_WEEKS))[0]:.2f}"


def _fall(one: Run, day: int) -> str:
    ratio = np.exp(np.log(one.truth("nfl_plasma", day) / one.truth("nfl_plasma", 0)).mean(axis=1))
    return f"−{100 * (1 - ratio[1]):.0f} %"


def _hazard_ratio(one: Run) -> str:
    hazard = -np.log1p(-one.events(EXTENSION_MONTHS * DAYS_PER_MONTH))
    return f"{hazard[1] / hazard[0]:.2f}"


def _medians(one: Run) -> str:
    untreated, treated = one.medians()
    return f"{untreated:.1f}; {treated:.1f}: gain of {treated - untreated:.1f}"


def _stable(one: Run) -> str:
    return f"{100 * (one.truth('alsfrs_r', THREE_YEARS) >= one.truth('alsfrs_r', 0)).mean(axis=1)[1]:.0f} %"


class Conflict(NamedTuple):
    """Figures that are asked to hold together, and what follows from them."""

    claims: str
    follows: str
    verdict: str


def shortest_medians() -> tuple[float, float]:
    """Least median months, untreated and treated, at which the hazard ratio gives the gain, if hazard never falls.

    An exponential law has median M/HR under treatment, a gain of M (1/HR - 1); a hazard that grows gains less.
    """
    untreated = GAIN_MONTHS / (1 / HAZARD_RATIO - 1)
    return untreated, untreated + GAIN_MONTHS


def conflicts() -> list[Conflict]:
    """The second table."""
    untreated, treated = shortest_medians()
    stretch = SLOPE / SLOPE_TREATED
    quarters = DAY_48_WEEKS * 4 / DAYS_PER_YEAR
    kept, delay = (SLOPE - SLOPE_TREATED) * quarters, quarters - SAVED_POINTS / (SLOPE - SLOPE_TREATED)
    score, breathing = 48 - SLOPE * untreated / 3, 98 - FVC * untreated / 12
    error, published = SAVED_POINTS / 2.144, (PUBLISHED_INTERVAL[1] - PUBLISHED_INTERVAL[0]) / (2 * 1.96)
    spared = (HAZARD_RATIO - 1 / stretch) / (1 - 1 / stretch)
    return [
        Conflict(
            "A05 + A06 + A07",
            "with a hazard that never falls, 0.82 gains 6.2 months only if the median is at least "
            f"{untreated:.1f} months untreated and {treated:.1f} treated",
            "cannot hold: no median of 34 months is seen in an extension of 24",
        ),
        Conflict(
            "A05 + A06 and SOD1",
            f"that median counts from the first dose; from onset SOD1-ALS has {MEDIAN_SOD1_MONTHS:.1f} (NH-03)",
            "cannot hold, unless treatment begins within four months of onset",
        ),
        Conflict(
            "A10 + A05",
            f"a course slowed to {1 / stretch:.2f} takes {stretch:.2f} times as long; if survival followed, "
            f"6.2 months would be gained on a median of {GAIN_MONTHS / (stretch - 1):.1f}",
            f"hold together only if treatment leaves {100 * spared:.0f} % of the hazard untouched",
        ),
        Conflict(
            "A10 + A11 + A06",
            f"after {untreated:.1f} months half of the untreated are dead, at a mean ALSFRS-R of {score:.0f} and a "
            f"mean vital capacity of {breathing:.0f} % from onset",
            "cannot hold: people with ALS die of breathing that fails, near 40 %",
        ),
        Conflict(
            "A10 + A03",
            f"half a point a quarter keeps {kept:.2f} points in 48 weeks, not 1.4",
            f"hold together if the effect begins after {delay * DAYS_PER_YEAR / 4 / DAYS_PER_WEEK:.0f} weeks",
        ),
        Conflict(
            "A03 + A04",
            f"P = .032 for 1.4 points needs a standard error of {error:.2f}; that published is {published:.2f}",
            f"cannot hold: with that error P is {_p(SAVED_POINTS / published):.2f}",
        ),
        Conflict(
            "A08 + A09",
            "28 % after 12 months and 31 % after 18: a fall of which about half is slow",
            "hold together; neither agrees with what was published",
        ),
    ]


def _p(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))


def tables() -> tuple[str, str]:
    """Both tables as Markdown."""
    first = ["| claim | figure | the article | linear model | clock model |", "|---|---|---|---|---|"]
    second = ["| claims | what follows | verdict |", "|---|---|---|"]
    first += [f"| {' | '.join(line)} |" for line in lines()]
    second += [f"| {' | '.join(line)} |" for line in conflicts()]
    return "\n".join(first), "\n".join(second)


if __name__ == "__main__":
    print("\n\n".join(tables()))
