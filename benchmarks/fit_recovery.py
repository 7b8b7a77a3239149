"""Does `fit` find the parameters behind simulated people, with intervals that hold them as often as they say?

    python -m benchmarks.fit_recovery REPEATS [FIRST]
    python -m benchmarks.fit_recovery derivatives

Each repeat makes 100 people with NumPy code that is not the engine (equations of docs/model.md, float64, steps of a
day), fits them from a start that is wrong, and notes estimates, errors and 95 % intervals in
benchmarks/fit_recovery.json, one at a time, so that several calls may run at once and another goes on; docs/fit.md has
their table. `derivatives` are those of the log-likelihood of 500 such
people at the true values, over their errors.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import simulator as sim
from simulator.analysis.intervals import share_error
from simulator.datasets import Dataset
from simulator.datasets.dataset import Endpoint, Measurements, Participants
from simulator.engine.compiling import cores
from simulator.studies.fit import newton
from simulator.studies.fit.parameters import choose
from simulator.studies.fit.people import people
from simulator.studies.fit.pool import crowd_scenario
from simulator.studies.fit.surface import Setting, Surface

Floats = NDArray[np.float64]
FILE = Path(__file__).with_suffix(".json")
VISITS = np.array([0, 56, 112, 182, 266, 364, 462])
MONTH, EPOCH = 30.4375, 28
PEOPLE, CROWD = 100, 32_768
TRUE = {
    "progression.d50_months.any.lognormal.median": 18.0,
    "progression.d50_months.any.lognormal.log_sd": 0.6,
    "progression.volatility.log_sd": 0.7,
    "progression.volatility.autocorrelation": 0.85,
    "visits.noise.alsfrs_r_points": 1.6,
    "progression.survival.critical_svc_percent": 35.0,
}
"""Values that are fitted, and from which the people come; the scenario's own are the start."""
HELD = ("progression.survival.steepness", "entry.*")


def scenario() -> sim.Scenario:
    """`generic_als` without background death, everybody eligible."""
    return sim.load(
        "generic_als",
        {"entry.eligible": None, "disease.background_mortality.multiplier": 0,
         "progression.survival.pav_probability": 0},
    )  # fmt: skip


def population(n: int, seed: int, true: dict[str, float] = TRUE) -> Dataset:
    """So many people who are alive at entry, followed to day 462 or until death or dropout at random."""
    rng = np.random.default_rng(seed)
    known = scenario().replace(true).numbers()
    found: list[tuple[Floats, float, bool, float]] = []
    while len(found) < n:
        one = person(known, rng)
        if one is not None:
            found.append(one)
    score = np.array([one[0] for one in found])
    end, event = np.array([one[1] for one in found]), np.array([one[2] for one in found])
    who, visit = np.nonzero((end[:, None] > VISITS) & (rng.random(score.shape) > np.where(VISITS > 0, 0.1, -1)))
    texts, none = np.full(n, ""), np.full(n, np.nan)
    who_they_are = Participants(
        np.array([f"P{k:03d}" for k in range(n)]), np.full(n, "untreated"), *(texts,) * 4, *(none,) * 4, {}
    )
    measured = Measurements(who, VISITS[visit].astype(float), VISITS[visit].astype(float), score[who, visit])
    ends = {"death": Endpoint(end, event)}
    return Dataset(f"population {seed}", who_they_are, {"alsfrs_r": measured}, ends, VISITS.astype(float), ())


def person(known: dict, rng: np.random.Generator) -> tuple[Floats, float, bool, float] | None:  # type: ignore[type-arg]
    """Scores at the visits, day of the end, whether that was death; None who died before entry."""
    clock, entry = known["progression"], known["entry"]["time_since_onset_months"]["lognormal"]
    d50 = _draw(clock["d50_months"]["any"], rng)
    months = float(np.clip(entry["median"] * np.exp(entry["log_sd"] * rng.normal()), entry["low"], entry["high"]))
    function, breathing, site = clock["function"], clock["breathing"], rng.choice(3, p=_sites(known))
    tau, z_respiratory = _taus(function, site, rng)
    a = _draw(function["steepness"], rng)
    v0 = float(
        np.clip(rng.normal(breathing["v0_percent"]["normal"]["mean"], breathing["v0_percent"]["normal"]["sd"]), 60, 140)
    )
    shared = breathing["correlation_with_respiratory"]
    own = shared * z_respiratory + np.sqrt(1 - shared**2) * rng.normal()
    tau_v = breathing["tau"]["lognormal"]["median"] * np.exp(breathing["tau"]["lognormal"]["log_sd"] * own)
    survival = clock["survival"]
    critical = tau_v * (v0 / survival["critical_svc_percent"] - 1) ** (1 / breathing["steepness"])
    first = months * MONTH
    q, z = _fluctuation(clock["volatility"], int(np.ceil(first / EPOCH)), rng)
    days_before = np.minimum(EPOCH, first - EPOCH * np.arange(len(q)))
    u0 = float(q @ days_before) / (MONTH * d50)
    later, _ = _fluctuation(clock["volatility"], VISITS[-1] // EPOCH + 1, rng, z)
    daily = np.repeat(later, EPOCH)[: VISITS[-1]] / (MONTH * d50)
    u = u0 + np.concatenate([[0.0], np.cumsum(daily)])
    used = (u / critical) ** survival["steepness"]
    left = rng.exponential() - used[0]
    if left <= 0:
        return None
    past = np.flatnonzero(used - used[0] >= left)
    death = float(past[0]) if len(past) else np.inf
    leaves = float(rng.exponential(365.25 / 0.15))
    end = min(death, leaves, float(VISITS[-1]))
    total = sum(12 / (1 + (u[VISITS] / one) ** a) for one in tau)
    noise = known["visits"]["noise"]["alsfrs_r_points"] * rng.normal(size=len(VISITS))
    return np.rint(np.clip(total + noise, 0, 48)), end, death == end, d50


def _draw(given: dict, rng: np.random.Generator) -> float:  # type: ignore[type-arg]
    one = given["lognormal"]
    return float(one["median"] * np.exp(one["log_sd"] * rng.normal()))


def _sites(known: dict) -> list[float]:  # type: ignore[type-arg]
    return [known["disease"]["onset_site"][key] for key in ("bulbar", "upper_limb", "lower_limb")]


def _taus(function: dict, site: int, rng: np.random.Generator) -> tuple[list[float], float]:  # type: ignore[type-arg]
    """Disease times at which four regions have lost half: bulbar, fine, gross, respiratory; the last one's normal."""
    z = rng.normal(size=4)
    middle = np.array([function["tau_axial"], function["tau_limb"], function["tau_limb"], function["tau_axial"]])
    middle[site] *= function["onset_factor"]
    return (middle * np.exp(function["tau_log_sd"] * z)).tolist(), float(z[3])


def _fluctuation(
    given: dict,
    epochs: int,
    rng: np.random.Generator,
    before: float | None = None,  # type: ignore[type-arg]
) -> tuple[Floats, float]:
    """Speeds of so many epochs, and the last one's normal."""
    rho, sd = given["autocorrelation"], given["log_sd"]
    z = before
    found = []
    for _ in range(epochs):
        z = rng.normal() if z is None else rho * z + np.sqrt(1 - rho**2) * rng.normal()
        found.append(np.exp(sd * z - sd**2 / 2))
    return np.array(found), float(z or 0.0)


def repeat(number: int, *, n: int = PEOPLE, crowd: int = CROWD) -> dict[str, Any]:
    """One population and its fit: estimate, ends of the interval, error and Monte Carlo error of each value."""
    found = sim.fit(
        population(n, 1000 + number),
        scenario(),
        fix=HELD,
        crowd=crowd,
        prior="none",
        seed=number + 1,
        draws=1,
        threads=1,
    )
    rows = {one.address: [float(f"{x:.5g}") for x in (one.estimate, one.lower, one.upper, one.se, one.mc)]
            for one in found.parameters}  # fmt: skip
    return {"number": number, "converged": found.converged, "gain": round(found.gain.value, 2), "rows": rows}


def derivatives(n: int = 500, seed: int = 77, *, crowd: int = CROWD) -> dict[str, Any]:
    """First derivatives of the log-likelihood of so many people at the true values, over their errors."""
    found = people(population(n, seed), scenario())
    base, _ = crowd_scenario(scenario(), found)
    free = choose(base, found.there, HELD, (), "none")
    truth = np.array([one.turned(TRUE[one.address]) for one in free])
    surface = Surface(Setting(base, free, found, crowd, 1, cores()), truth)
    rows = {}
    for j, (one, kind) in enumerate(zip(free, surface.kinds, strict=True)):
        h = newton.STEPS[kind]
        ahead, behind = (surface.each(newton.moved(truth, j, sign * h)) for sign in (1, -1))
        each = (ahead.value - behind.value) / (2 * h)
        noise = newton.error((ahead.without - behind.without).sum(axis=1) / (2 * h))
        rows[one.address] = round(float(each.sum() / np.hypot(np.sqrt((each**2).sum()), noise)), 2)
    return {"people": n, "seed": seed, "rows": rows}


def table(stored: dict[str, Any]) -> str:
    """Median, spread and coverage of each value, noise of the crowd, and the derivatives, as they stand on the page."""
    repeats = stored["repeats"]
    head = "| value | true | median (quartiles) | 95 % hold, % | true below, above | crowd, % | derivative |"
    lines = [head, "|---|---|---|---|---|---|---|"]
    for address, truth in TRUE.items():
        rows = np.array([one["rows"][address] for one in repeats])
        above, below = int((truth > rows[:, 2]).sum()), int((truth < rows[:, 1]).sum())
        inside = len(rows) - above - below
        low, middle, high = np.quantile(rows[:, 0], [0.25, 0.5, 0.75])
        noise = 100 * np.median((rows[:, 4] / rows[:, 3]) ** 2)
        held = f"{100 * inside / len(rows):.0f} ± {100 * float(share_error(inside, len(rows))):.0f}"
        slope = f"{stored['derivatives']['rows'][address]:.1f}".replace("-", "−")
        name = address.replace("progression.", "")
        lines.append(
            f"| `{name}` | {truth:g} | {middle:.3g} ({low:.3g} to {high:.3g}) | {held} | "
            f"{below}, {above} | {noise:.0f} | {slope} |"
        )
    return "\n".join(lines)


def told(stored: dict[str, Any]) -> str:
    """How many repeats, how many of these arrived, and how many of all intervals hold the truth."""
    repeats = stored["repeats"]
    held = [np.mean([low <= TRUE[name] <= high for name, (_, low, high, *_) in one["rows"].items()]) for one in repeats]
    error = np.std(held, ddof=1) / np.sqrt(len(held))
    share = f"{100 * np.mean(held):.0f} ± {100 * error:.0f} % of all intervals hold the truth"
    return f"{len(repeats)} repeats, {sum(one['converged'] for one in repeats)} converged; {share}"


def stored_figures() -> dict[str, Any]:
    """What has been computed."""
    return dict(json.loads(FILE.read_text("utf-8"))) if FILE.exists() else {"derivatives": None, "repeats": []}


def keep(stored: dict[str, Any]) -> None:
    """Write what has been computed, a repeat a line."""
    stored["repeats"].sort(key=lambda one: one["number"])
    lines = ",\n".join(json.dumps(one) for one in stored["repeats"])
    new = FILE.with_suffix(f".{os.getpid()}.part")
    new.write_text(f'{{"derivatives": {json.dumps(stored["derivatives"])},\n"repeats": [\n{lines}\n]}}\n', "utf-8")
    new.replace(FILE)


def main() -> None:
    """Go on with the stored repeats, or compute the derivatives."""
    stored = stored_figures()
    if sys.argv[1] == "derivatives":
        stored["derivatives"] = derivatives()
        keep(stored)
        return
    wanted, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    for number in range(first, first + wanted):
        if number not in {one["number"] for one in stored_figures()["repeats"]}:
            one = repeat(number)
            stored = stored_figures()
            stored["repeats"].append(one)
            keep(stored)
    stored = stored_figures()
    sys.stdout.write(f"{told(stored)}\n\n{table(stored)}\n")


if __name__ == "__main__":
    main()
