"""Serious neurologic events of `valor`, and what holds and stops cost: figures of docs/safety.md.

`python -m benchmarks.safety` prints, for each arm with the drug, how many of those who had a dose had an event, and
their years on it; then what the block `safety` changes in the same people.
"""

from __future__ import annotations

import sys

import numpy as np

import simulator as sim
from simulator.units import DAYS_PER_WEEK, DAYS_PER_YEAR

WEEKS = (28, 52, 148)
STOPPED = 2  # the code of the action


def main() -> None:
    """Print both tables."""
    patients = int(sys.argv[1]) if len(sys.argv) > 1 else 40_000
    scenario = sim.load("valor")
    pair = [sim.simulate(one, patients=patients, seed=1) for one in (scenario, scenario.replace({"safety": None}))]
    for arm in ("early_start", "delayed_start"):
        print(arm, events(pair[0], arm))
        doses = [np.count_nonzero(one.groups["doses"]["arm"].values == one.arm_index(arm)) for one in pair]
        print(f"  doses given, %           {100 * (doses[0] / doses[1] - 1):8.2f}")
        for week in WEEKS:
            print(f"  ALSFRS-R, week {week:<10}", gain(*(truth(one, arm, "alsfrs_r", week) for one in pair)))
        print("  event-free, week 148, % ", gain(*(100.0 * event_free(one, arm) for one in pair)))
        levels = [level(one, arm) for one in pair]
        print(f"  NfL of survivors, ratio  {levels[0] / levels[1]:8.4f}")


def first(result: sim.Result, group: str, arm: str, key: str = "", least: int = 0) -> np.ndarray:
    """The day of each patient's first record in an arm, with a key of at least so much; infinite without one."""
    records = result.groups[group]
    mine = records["arm"].values == result.arm_index(arm)
    if key:
        mine &= (records["serious"].values == 1) & (records[key].values >= least)
    days = np.full(result.n_patients, np.inf)
    np.minimum.at(days, records["patient"].values[mine], records["day"].values[mine].astype(float))
    return days


def events(result: sim.Result, arm: str) -> str:
    """How many had a dose, their years on the drug, and shares with an event ever and within 28 weeks of the first."""
    dose, event = first(result, "doses", arm), first(result, "adverse_events", arm, "serious", 1)
    ends = [result.groups["events"][name].values[result.arm_index(arm)] for name in ("death_time", "dropout_time")]
    stop = first(result, "adverse_events", arm, "action", STOPPED)
    who = np.isfinite(dose)
    years = (np.fmin.reduce([*ends, stop, np.full(who.size, result.time[-1])]) - dose)[who].mean() / DAYS_PER_YEAR
    soon = (event[who] - dose[who] <= 28 * DAYS_PER_WEEK).mean()
    return f"{who.sum()} dosed, {years:.2f} years, {np.isfinite(event[who]).mean():.2%}; in 28 weeks {soon:.2%}"


def truth(result: sim.Result, arm: str, name: str, week: float) -> np.ndarray:
    """A variable of each patient in a week."""
    at = int(np.abs(result.time - DAYS_PER_WEEK * week).argmin())
    return result.groups["truth"][name].values[result.arm_index(arm), :, at].astype(float)


def event_free(result: sim.Result, arm: str) -> np.ndarray:
    """Who is alive without permanent ventilation in the last of the weeks."""
    times = result.groups["events"]["event_free_time"].values[result.arm_index(arm)]
    return np.asarray(times > DAYS_PER_WEEK * WEEKS[-1])


def level(result: sim.Result, arm: str) -> float:
    """Geometric mean of the ratio of NfL to baseline in the last of the weeks, of survivors."""
    alive = ~(result.groups["events"]["death_time"].values[result.arm_index(arm)] <= DAYS_PER_WEEK * WEEKS[-1])
    ratio = truth(result, arm, "nfl_plasma", WEEKS[-1]) / truth(result, arm, "nfl_plasma", 0)
    return float(np.exp(np.log(ratio[alive]).mean()))


def gain(with_it: np.ndarray, without: np.ndarray) -> str:
    """Mean difference in the same people, with its error."""
    each = with_it - without
    return f"{each.mean():8.4f} ({each.std() / np.sqrt(each.size):.4f})"


if __name__ == "__main__":
    main()
