"""Makes trial.csv: an invented trial of 108 participants with tied event times, gaps, dropout, and no drug effect.

Run as `python tests/golden/trial_data.py`. It is data for comparing programs, not a model of ALS.
"""

from pathlib import Path

import numpy as np

N, VISITS = 108, 8


def main() -> None:
    rng = np.random.default_rng(20261122)
    planned = 28.0 * np.arange(VISITS)
    arm = (np.arange(N) % 3 > 0).astype(int)
    stratum = rng.integers(0, 2, N)
    nfl = rng.normal(4.0, 0.7, N)
    slope = -np.exp(rng.normal(-0.2, 0.5, N) + 0.4 * stratum + 0.3 * (nfl - 4))
    day = np.where(planned > 0, planned + rng.integers(-5, 6, (N, VISITS)), 0)
    score = np.round(
        37 + 5 * rng.normal(size=N)[:, None] + slope[:, None] * day / 30 + 1.6 * rng.normal(size=day.shape)
    )
    event = 7 * np.ceil(rng.exponential(1, N) / (0.002 * -slope) / 7)  # whole weeks: ties
    end = np.minimum(np.ceil(rng.exponential(1500, N)), 203)
    seen = (rng.random(day.shape) > 0.03) & (day <= np.minimum(event, end)[:, None])
    seen[:, 0] = True
    cells = [
        [*row]
        for row in zip(
            np.arange(1, N + 1), arm, stratum, nfl.round(4), np.minimum(event, end), event <= end, strict=True
        )
    ]
    lines = [
        ",".join([*(f"{float(x):g}" for x in row), *texts(day[i], seen[i]), *texts(score[i], seen[i])])
        for i, row in enumerate(cells)
    ]
    names = ["id", "arm", "stratum", "log_nfl", "time", "event"]
    head = ",".join([*names, *(f"d{v}" for v in range(VISITS)), *(f"y{v}" for v in range(VISITS))])
    Path(__file__).with_name("trial.csv").write_text("\n".join([head, *lines, ""]))


def texts(values: np.ndarray, seen: np.ndarray) -> list[str]:
    return [f"{x:g}" if there else "" for x, there in zip(values, seen, strict=True)]


if __name__ == "__main__":
    main()
