"""The example of the page "My cohort": 80 simulated people with ALS, as two tables.

    python -m benchmarks.own_cohort

writes docs/own_cohort/participants.csv and measurements.csv. The people are simulated by `generic_als`, untreated; they
are nobody's data. Seed 4.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

import simulator as sim

FOLDER = Path(__file__).parents[1] / "docs" / "own_cohort"
DAYS = [0, 84, 168, 252, 336]
SITES, SEXES = ("bulbar", "upper_limb", "lower_limb"), ("man", "woman")


def tables() -> dict[str, list[list[Any]]]:
    """The two tables, heads first."""
    scenario = sim.load("generic_als").replace(
        {
            "visits": {"days": DAYS, "jitter_days": 7, "missing": 0.05, "assessments": ["alsfrs_r", "svc"]},
            "follow_up_days": 364,
            "attrition": {"dropout_per_year": [{"rate": 0.1}]},
        }
    )
    groups = sim.simulate(scenario, patients=80, seed=4).groups
    people, seen, events = (
        {key: one.values for key, one in groups[name].items()} for name in ("patients", "observed", "events")
    )
    participants: list[list[Any]] = [
        ["id", "arm", "sex", "age", "onset_site", "months_since_onset", "followup_day", "death_day", "pav_day"]
    ]
    measurements: list[list[Any]] = [["id", "day", "planned_day", "alsfrs_r", "svc"]]
    for k in range(80):
        name = f"P{k + 1:03d}"
        death, left = float(events["death_time"][0, k]), float(events["dropout_time"][0, k])
        pav = float(events["event_free_time"][0, k]) if events["event"][0, k] == 2 else float("nan")
        end = int(np.nanmin([death, left, 364.0]))
        participants.append(
            [name, "registry", SEXES[people["sex"][k]], round(float(people["age"][k])), SITES[people["onset_site"][k]]]
            + [round(float(people["time_since_onset"][k]), 1), end]
            + [int(day) if day <= end + 1 else "" for day in (death, pav)]
        )
        for v, planned in enumerate(DAYS):
            row = [seen[variable][0, k, v] for variable in ("alsfrs_r", "svc")]
            if np.isfinite(row).any():
                day = 0 if planned == 0 else round(float(seen["day"][0, k, v]))
                if day <= end:
                    measurements.append([name, day, planned, *(round(x) if np.isfinite(x) else "" for x in row)])
    return {"participants": participants, "measurements": measurements}


if __name__ == "__main__":
    for table, rows in tables().items():
        with (FOLDER / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
