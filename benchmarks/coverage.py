"""Synthetic truth: how often the intervals of the calibration hold the parameters that made the data.

    python -m benchmarks.coverage DIR [REPEATS]

DIR is the folder of a finished `als-sim calibrate valor -o DIR`. Each repeat takes a vector of the ensemble as truth,
simulates patients at it, draws the published numbers of participants from them and measures them (the model's
discrepancy is drawn as assumed), samples the posterior on the emulator, and asks whether 90 % intervals hold the truth,
direction by direction. The stored result is benchmarks/coverage.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from simulator.catalog.calibration import calibration
from simulator.studies.calibrate import ensemble as sampling
from simulator.studies.calibrate.cohorts import drawn
from simulator.studies.calibrate.evaluate import Evaluator, runs_at, starting_vector
from simulator.studies.calibrate.fit import fit
from simulator.studies.calibrate.likelihood import likelihood
from simulator.studies.calibrate.rows import chosen, data

STEPS, LEVEL, DRAWS = 900, 0.90, 4000


def main(folder: Path, repeats: int = 100) -> dict[str, object]:
    """Coverage of the informed directions and of the parameters, over the repeats."""
    spec = calibration()
    start = starting_vector(spec)
    runs = runs_at(spec, start)
    rows = data(chosen(spec), spec, runs)
    evaluate, target = Evaluator(spec, rows, folder), likelihood(rows, spec, runs)
    found = fit(evaluate, target, start)
    emulator = sampling.emulator_of(found, *sampling.design(evaluate, found, 1024))
    truths = sampling.sample(emulator, found, target, repeats).vectors
    information, axes = np.linalg.eigh(found.jacobian.T @ found.jacobian)
    order = np.argsort(-information)
    information, axes = information[order], axes[:, order]
    slack, rng = np.array([row.slack for row in rows]), np.random.default_rng(5)
    inside, away = [], []
    for number, truth in enumerate(truths):
        cohort = drawn(rows, runs_at(spec, truth), spec.cohorts, rng)
        made = target._replace(observed=cohort + slack * rng.normal(size=len(rows)))
        vectors = sampling.sample(emulator, found, made, DRAWS, seed=number + 2, steps=STEPS).vectors
        low, high = np.quantile(vectors @ axes, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        inside.append((low < truth @ axes) & (truth @ axes < high))
        away.append((truth @ axes - (vectors @ axes).mean(axis=0)) / (vectors @ axes).std(axis=0))
    informed = information > 1
    covered = np.array(inside).mean(axis=0)
    return {
        "repeats": repeats,
        "level": LEVEL,
        "informed_directions": int(informed.sum()),
        "coverage_informed": round(float(covered[informed].mean()), 3),
        "mcse": round(float(np.sqrt(LEVEL * (1 - LEVEL) / repeats / informed.sum())), 3),
        "coverage_by_direction": [round(float(x), 2) for x in covered],
        "information": [float(f"{x:.3g}") for x in information],
        "sd_of_standardised_error_informed": round(float(np.array(away)[:, informed].std()), 3),
    }


if __name__ == "__main__":
    result = main(Path(sys.argv[1]), *(int(word) for word in sys.argv[2:]))
    text = json.dumps(result, indent=1)
    (Path(__file__).parent / "coverage.json").write_text(text + "\n", encoding="utf-8")
    print(text)
