"""How often the external comparison finds something where there is nothing, and the effect where there is one.

    python -m benchmarks.external_comparison true|ensemble [REPEATS]

A cohort of 80 people is simulated again and again; each participant counts once untreated and once treated from
baseline on with a clock that runs at .6 of its rate, and is compared with own untreated twins matched on what was
measured at baseline. `true`: ALS of every cause, twins under the model that made the cohort. `ensemble`: SOD1-ALS,
each cohort made under another vector of the parameter ensemble, twins over 10 other vectors. Figures go to
benchmarks/external_comparison_KEY.json; docs/own_patients.md has them. Seeds are numbers of repeats.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import simulator as sim
from simulator.analysis.replicates import share
from simulator.datasets import Dataset, Endpoint, Measurements, Participants
from simulator.studies.calibrate.apply import drawn_settings
from simulator.studies.twins.external import external

DAYS = (0, 168, 336)
PEOPLE, TWINS, POOL, DRAWS = 80, 300, 32_768, 10
BRAKE = {
    "treatments": {"brake": {"kind": "rate_multiplier", "value": 0.6}},
    "arms": {"untreated": [], "treated": [{"treatments": ["brake"], "from_day": 0}]},
    "control": "untreated",
    "visits.every_days": None,
    "visits.days": list(DAYS),
    "visits.jitter_days": 0,
    "visits.missing": 0,
    "visits.assessments": ["alsfrs_r", "svc"],
    "follow_up_days": 350,
}
ENTRY = {"entry": {"time_since_onset_months": {"lognormal": {"median": 12, "log_sd": 0.6}}}}
SITES, SEXES = np.array(["bulbar", "upper_limb", "lower_limb"]), np.array(["man", "woman"])


def cohort(result: Any, arm: int) -> tuple[Participants, dict[str, Measurements], Endpoint]:
    """The people of a run in one arm."""
    people, seen, events = (result.groups[name] for name in ("patients", "observed", "events"))
    n, name = result.n_patients, result.arms[arm]
    blank, nothing = np.full(n, "", "U1"), np.full(n, np.nan)
    variants = people["variant"].values.astype(str)
    who = Participants(
        np.array([f"{name}-{k:03d}" for k in range(n)]), np.full(n, name), blank,
        np.where(variants == "any", "", variants), SEXES[people["sex"].values], SITES[people["onset_site"].values],
        people["age"].values.astype(float), people["time_since_onset"].values.astype(float),
        np.full(n, 0.0) if arm else nothing, nothing, {},
    )  # fmt: skip
    measured = {}
    for variable in ("alsfrs_r", "svc"):
        values = seen[variable].values[arm].astype(float)
        person, visit = np.nonzero(np.isfinite(values))
        day = np.array(DAYS, float)[visit]
        measured[variable] = Measurements(person, day, day, values[person, visit])
    return who, measured, Endpoint(events["event_free_time"].values[arm], events["event"].values[arm] > 0)


def joined(result: Any) -> Dataset:
    """Everybody once untreated and once treated."""
    one, two = cohort(result, 0), cohort(result, 1)
    n = result.n_patients
    who = Participants(*(np.concatenate(pair) for pair in zip(one[0][:-1], two[0][:-1], strict=True)), {})
    measured = {}
    for name, a in one[1].items():
        b = two[1][name]
        pairs = zip(a[1:], b[1:], strict=True)
        measured[name] = Measurements(np.r_[a.person, b.person + n], *(np.r_[x, y] for x, y in pairs))
    end = Endpoint(np.r_[one[2].time, two[2].time], np.r_[one[2].event, two[2].event])
    return Dataset("simulated", who, measured, {"event_free": end}, np.array(DAYS, float), ())


def effect(scenario: Any, seed: int) -> list[float]:
    """The true effect on each day among those who would be alive in both arms."""
    groups = sim.simulate(scenario, patients=4_000, seed=seed).groups
    truth, death = groups["truth"], groups["events"]["death_time"].values
    found = []
    for day in DAYS[1:]:
        t = int(np.searchsorted(truth["time"].values, day))
        alive = ~(death <= day).any(axis=0)
        course = truth["alsfrs_r"].values[:, alive, t].astype(float)
        found.append(float((course[1] - course[0]).mean()))
    return found


def repeat(key: str, number: int) -> dict[str, Any]:
    """One cohort: what is found in its untreated and in its treated participants."""
    base = (
        sim.load("generic_als").replace(BRAKE) if key == "true" else sim.load("natural_history").replace(BRAKE | ENTRY)
    )
    base = base.replace({"output": {"every_days": 168}})
    own, draws = base, 0
    if key == "ensemble":
        own, draws = base.replace(list(drawn_settings(base, DRAWS + 1 + number))[-1]), DRAWS
    data = joined(sim.simulate(own, patients=PEOPLE, seed=10_000 + number))
    found = sim.twins(data, base, days=DAYS[1:], twins=TWINS, pool=POOL, draws=draws, seed=number + 1)
    out: dict[str, Any] = {"effect": effect(own, 20_000 + number), "matched": len(found.matched)}
    for arm in ("untreated", "treated"):
        one = external(found, [arm])
        out[arm] = {
            "visits": [[v.difference, v.lower, v.upper, v.sampling, v.parameters, v.cohort] for v in one.visits],
            "events": None if one.events is None else [one.events.value, one.events.lower, one.events.upper],
        }
    return out


def figures(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Rates with their errors, by day."""
    out: dict[str, Any] = {"repeats": len(rows), "matched": float(np.mean([row["matched"] for row in rows]))}
    true = np.array([row["effect"] for row in rows])
    for arm in ("untreated", "treated"):
        visits = np.array([row[arm]["visits"] for row in rows], float)
        wanted = true if arm == "treated" else np.zeros_like(true)
        for t, day in enumerate(DAYS[1:]):
            value, low, high = visits[:, t, :3].T
            gap = value - wanted[:, t]
            out[f"{arm}_{day}"] = {
                "true": float(wanted[:, t].mean()),
                "found": float(value.mean()),
                "bias": [float(gap.mean()), float(gap.std(ddof=1) / np.sqrt(len(gap)))],
                "sd": float(gap.std(ddof=1)),
                "se": float(np.sqrt(np.nanmean(((high - low) / 2 / 1.96) ** 2))),
                "rejected": [*share((low > 0) | (high < 0))],
                "covers": [*share((low <= wanted[:, t]) & (wanted[:, t] <= high))],
            }
        events = np.array([row[arm]["events"] for row in rows], float)
        out[f"{arm}_events"] = {
            "ratio": float(np.exp(np.log(events[:, 0]).mean())),
            "rejected": [*share((events[:, 1] > 1) | (events[:, 2] < 1))],
        }
    return out


if __name__ == "__main__":
    word, count = sys.argv[1], int((sys.argv[2:] or ["100"])[0])
    place = Path(__file__).parent / f"external_comparison_{word}.json"
    rows_ = []
    for k in range(count):
        rows_.append(repeat(word, k))
        print(k, flush=True)
    place.write_text(json.dumps(figures(rows_), indent=1) + "\n", "utf-8")
    print(place.read_text("utf-8"))
