"""How often the external comparison finds something where there is nothing, and the effect where there is one.

    python -m benchmarks.external_comparison true|ensemble [REPEATS]

A cohort of 80 people is simulated again and again; each participant counts once untreated and once treated from
baseline on with a clock that runs at .6 of its rate, and is compared with own untreated twins matched on what was
measured at baseline. `true`: ALS of every cause, twins under the model that made the cohort. `ensemble`: SOD1-ALS,
each cohort made under a vector of the parameter ensemble that is drawn at random, twins over 20 others that are drawn
too: what is common to all repeats is no part of the errors. Repeats and figures go to
benchmarks/external_comparison_KEY.json, and a call goes on with those that lack; docs/own_patients.md has the table.
Seeds are numbers of repeats.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import simulator as sim
from simulator.analysis.forecasts import events
from simulator.analysis.replicates import share
from simulator.datasets import Dataset, Endpoint, Measurements, Participants
from simulator.studies.calibrate.apply import drawn_settings, ensemble
from simulator.studies.twins.external import external

DAYS = (0, 168, 336)
PEOPLE, POOL, DRAWS = 80, 163_840, 20
TWINS = 600
PARTS = ("visits", "composite")
"""Differences among those alive, and of all with an event as 0."""
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


def effect(scenario: Any, seed: int) -> list[list[float]]:
    """The true effect on each day, among those who would be alive in both arms, and of all with an event as 0."""
    groups = sim.simulate(scenario, patients=4_000, seed=seed).groups
    truth, events = groups["truth"], groups["events"]
    free_until = np.where(events["event"].values > 0, events["event_free_time"].values, np.inf)
    found = []
    for day in DAYS[1:]:
        course = truth["alsfrs_r"].values[:, :, int(np.searchsorted(truth["time"].values, day))].astype(float)
        alive = ~(events["death_time"].values <= day).any(axis=0)
        left = np.where(free_until > day, course, 0.0)
        found.append([float((one[1] - one[0]).mean()) for one in (course[:, alive], left)])
    return found


def vectors(base: Any, number: int) -> tuple[dict[str, float], Any]:
    """The values of a cohort, and the scenario of its twins with other vectors as its ensemble."""
    every = list(drawn_settings(base, len(ensemble())))
    own, *others = np.random.default_rng(number).choice(len(every), DRAWS + 1, replace=False).tolist()
    names = list(every[own])
    block = {"addresses": names, "vectors": [[every[k][name] for name in names] for k in others]}
    return every[own], base.replace({"ensemble": block})


def repeat(key: str, number: int) -> dict[str, Any]:
    """One cohort: what is found in its untreated and in its treated participants."""
    base = (
        sim.load("generic_als").replace(BRAKE) if key == "true" else sim.load("natural_history").replace(BRAKE | ENTRY)
    )
    base = base.replace({"output": {"every_days": 168}})
    own, twins_of, draws = base, base, 0
    if key == "ensemble":
        settings, twins_of = vectors(base, number)
        own, draws = base.replace(settings), DRAWS
    data = joined(sim.simulate(own, patients=PEOPLE, seed=10_000 + number))
    found = sim.twins(data, twins_of, days=DAYS[1:], twins=TWINS, pool=POOL, draws=draws, seed=number + 1)
    out: dict[str, Any] = {"number": number, "effect": effect(own, 20_000 + number), "matched": len(found.matched)}
    for arm in ("untreated", "treated"):
        one = external(found, [arm])
        out[arm] = {
            part: [[v.difference, v.lower, v.upper, v.sampling, v.parameters, v.cohort] for v in getattr(one, part)]
            for part in PARTS
        }
        ratio = one.events or events(0, 0.0)
        out[arm]["events"] = [*ratio, *events(ratio.observed, ratio.expected)[3:], one.events_parameters]
    return dict(json.loads(json.dumps(out), parse_float=lambda x: float(f"{float(x):.5g}")))


def figures(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Rates with their errors, by arm and day."""
    out: dict[str, Any] = {"repeats": len(rows), "matched": float(np.mean([row["matched"] for row in rows]))}
    true = np.array([row["effect"] for row in rows])
    for arm in ("untreated", "treated"):
        for p, part in enumerate(PARTS):
            told = np.array([row[arm][part] for row in rows], float)
            for t, day in enumerate(DAYS[1:]):
                wanted = true[:, t, p] * (arm == "treated")
                out[f"{arm}_{part}_{day}"] = _rates(told[:, t, :3], wanted)
        ends = np.array([row[arm]["events"] for row in rows], float)
        out[f"{arm}_events"] = {
            "observed": float(ends[:, 0].sum()),
            "expected": float(ends[:, 1].sum()),
            "ratio": float(np.exp(np.log(ends[:, 2]).mean())),
            "sd_log": float(np.log(ends[:, 2]).std(ddof=1)),
            "sampling": float(np.sqrt(np.mean(1 / ends[:, 1]))),
            "parameters": float(np.sqrt(np.mean(ends[:, 7] ** 2))),
            "rejected": _rejected(ends[:, 3], ends[:, 4]),
            "rejected_as_if_known": _rejected(ends[:, 5], ends[:, 6]),
        }
    return out


def _rejected(low: Any, high: Any) -> list[float]:
    return [*share((low > 1) | (high < 1))]


def _rates(told: Any, wanted: Any) -> dict[str, Any]:
    """Of (repeat, 3) differences and ends of intervals."""
    value, low, high = told.T
    gap = value - wanted
    return {
        "true": float(wanted.mean()),
        "found": float(value.mean()),
        "bias": [float(gap.mean()), float(gap.std(ddof=1) / np.sqrt(len(gap)))],
        "sd": float(gap.std(ddof=1)),
        "se": float(np.sqrt(np.nanmean(((high - low) / 2 / 1.96) ** 2))),
        "rejected": [*share((low > 0) | (high < 0))],
        "covers": [*share((low <= wanted) & (wanted <= high))],
    }


def page_rows(key: str, found: dict[str, Any]) -> list[str]:
    """The rows of the table of docs/own_patients.md."""
    model = {"true": "ALS of every cause, true parameters", "ensemble": "SOD1, parameters from the ensemble"}[key]
    rows = []
    for arm in ("untreated", "treated"):
        for part, words in zip(PARTS, ("survivors", "all"), strict=True):
            for day in DAYS[1:]:
                one = found[f"{arm}_{part}_{day}"]
                cells = [
                    f"{model} ({found['repeats']})",
                    f"{arm}, {words}",
                    f"{day}",
                    f"{one['true']:.2f}",
                    f"{one['found']:.2f}",
                    "{:.2f} ± {:.2f}".format(*one["bias"]),
                    *("{:.0f} ± {:.0f}".format(*(100 * x for x in one[x_][:2])) for x_ in ("rejected", "covers")),
                ]
                rows.append(f"| {' | '.join(cells)} |".replace("-", "−"))
        one = found[f"{arm}_events"]
        cells = [
            f"{model} ({found['repeats']})",
            f"{arm}, events",
            "350",
            "",
            f"{one['ratio']:.2f}",
            "",
            "{:.0f} ± {:.0f}".format(*(100 * x for x in one["rejected"][:2])),
            "",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def main(key: str, count: int) -> None:
    """Go on with the stored repeats."""
    place = Path(__file__).parent / f"external_comparison_{key}.json"
    rows = list(json.loads(place.read_text("utf-8"))["rows"]) if place.exists() else []
    done = {row["number"] for row in rows}
    for number in range(count):
        if number not in done:
            rows.append(repeat(key, number))
            told = json.dumps(figures(rows), indent=1)[:-2] if len(rows) > 1 else "{"
            lines = ",\n".join(json.dumps(row) for row in sorted(rows, key=lambda one: one["number"]))
            place.write_text(f'{told}{"," if len(rows) > 1 else ""}\n"rows": [\n{lines}\n]}}\n', "utf-8")
    sys.stdout.write(json.dumps(figures(rows), indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int((sys.argv[2:] or ["100"])[0]))
