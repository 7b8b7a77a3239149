"""What the sections of the validation of trials share: replicates of a scenario, and figures of their estimates."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binom, norm

from simulator.analysis.replicates import Known, mean_known, performance, share
from simulator.analysis.trial.registry import ANALYSES
from simulator.replicate import compiled
from simulator.studies.calibrate.apply import drawn_scenarios
from simulator.studies.trial.blocks import Work, run
from simulator.studies.trial.entering import patients
from simulator.studies.trial.plan import TrialOptions, people_of, plan
from simulator.studies.trial.prognostic import learnt
from simulator.studies.trial.rows import ESTIMATED, Block
from simulator.studies.trial.study import null_of

FOLDER = Path(__file__).parent / "validation"
KEPT = Path(__file__).parent / "out" / "validation"
"""Finished replicates, so that a section that was stopped goes on; those of other sources are not taken."""
SOURCES = ("analysis", "engine", "mechanisms", "models", "program", "studies/trial")
SEED, THREADS, DRAWS = 1, 2, 200
SLOW = ("mi", "controlled_mi", "joint_rank_mi", "rate_ratio")
PRIORS = tuple(name for name, one in ANALYSES.items() if one.borrows is not None or name.endswith("_posterior"))
PLAIN = tuple(name for name in ANALYSES if name not in PRIORS)
"""Analyses without a prior; the others have sections of their own."""
OPTIONS = {"responder": {"least_change": -6.0}, "delayed_start": {"switch_day": 196, "kept_share": 0.5}}
NO_EFFECT = {"treatments.tofersen.effect.mean": 0, "treatments.tofersen.effect.sd": 0}
AT = {name: k for k, name in enumerate(ESTIMATED)}
YEAR = 365.25
LAST_CUT = 5.4 * YEAR
Z_95 = float(norm.ppf(0.975))


class Study(NamedTuple):
    """A scenario's replicates, and what was done in them."""

    work: Work
    found: Block

    def of(self, name: str, day: int) -> np.ndarray:
        """(r, 7) the estimates of an analysis on a day since randomisation."""
        plan_ = self.work.plan
        return self.found.estimates[:, plan_.analyses.index(name), plan_.days.index(day)]


def study(scenario: Any, asked: TrialOptions, replicates: int, draws: int = 0) -> Study:
    """Replicates of a scenario, over vectors of the ensemble in turn if there are draws."""
    planned = plan(scenario, asked)
    drawn = drawn_scenarios(scenario, draws) if draws else [scenario]
    planned = planned._replace(prognostic=learnt(null_of(scenario), planned, SEED))
    scenarios = [plan(one, asked).scenario for one in drawn]
    work = Work(planned, compiled(scenarios, patients(scenarios, people_of(planned), SEED)), SEED, replicates)
    return Study(work, run(work, THREADS, KEPT / sources()))


@cache
def sources() -> str:
    """Hash of the sources that decide what a replicate gives, beside the scenario."""
    package = Path(__file__).parents[1] / "simulator"
    texts = (path.read_bytes() for part in SOURCES for path in sorted((package / part).rglob("*.py")))
    return sha256(b"".join(texts)).hexdigest()[:16]


def band(probability: float, replicates: int) -> list[float]:
    """The 99.9 % Monte Carlo band of a share."""
    return [float(binom.ppf(p, replicates, probability)) / replicates for p in (0.0005, 0.9995)]


def rounded(value: Any) -> Any:
    """Figures to five digits, None where there is none."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(one) for one in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{float(value):.5g}") if np.isfinite(value) else None
    return value


def of_rows(rows: np.ndarray, target: float | Known) -> dict[str, Any]:
    """Performance of (r, 7) estimates against a truth."""
    columns = (rows[:, AT[name]] for name in ("value", "se"))
    is_ = performance(*columns, rows[:, [AT["lower"], AT["upper"]]], rows[:, AT["p"]], truth=target)
    return {name: [one.value, one.mcse] for name, one in is_._asdict().items()}


def by(rows: np.ndarray, draws: int) -> np.ndarray | None:
    """(r,) the draw of each replicate, which those of it share; None without draws."""
    return np.arange(len(rows)) % draws if draws else None


def spread(values: np.ndarray, draws: int = 0) -> dict[str, Any]:
    """Quantiles of estimates, with mean and SD."""
    kept = values[np.isfinite(values)]
    at = (0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975)
    return {
        "n": len(kept),
        "mean": [*mean_known(values, by(values, draws))],
        "sd": kept.std(ddof=1),
        "quantiles": dict(zip(map(str, at), np.quantile(kept, at).tolist(), strict=True)),
    }


def below(values: np.ndarray, published: float, draws: int = 0) -> list[float]:
    """Share of estimates at or below a published one, and its error."""
    return share_of(values, values <= published, draws)


def share_of(rows: np.ndarray, holds: np.ndarray, draws: int) -> list[float]:
    """Share of those with an estimate for whom something holds, and its error."""
    kept = np.isfinite(rows if rows.ndim == 1 else rows[:, 0])
    draw = by(rows, draws)
    return [*share(holds[kept], None if draw is None else draw[kept])]
