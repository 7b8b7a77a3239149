"""Runs made of random numbers, not of a model: for the tests of results, analysis and commands."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from simulator.results import Provenance, Record, name
from simulator.results.variables import SUMMARISED

ARMS = ("untreated", "early_start", "delayed_start")
VARIANTS = ("p.Ala5Val", "other")


class Sums(NamedTuple):
    """Streaming sums, added here by numpy over whole arrays."""

    alive: Any
    event_free: Any
    total: Any
    square: Any
    counts: Any
    ended: Any
    restricted: Any
    restricted_square: Any
    n_patients: int
    scale: Any
    square_scale: Any
    low: Any
    width: Any
    restricted_scale: float = 1024.0
    restricted_square_scale: float = 1.0
    stages: Any = None
    serious: Any = None


def summarised(truth: dict, row) -> np.ndarray:
    """The values of one row of `SUMMARISED` as they are added."""
    x = truth[row.of].astype(np.float64)
    x = np.log(x) if row.transform == "log" else x
    return x - x[..., :1] if row.since else x


def sums_of(truth: dict, events: dict, time: np.ndarray) -> Sums:
    """The sums of a full run."""
    scale = np.full(len(SUMMARISED), 2.0**20)
    low = np.array([row.low for row in SUMMARISED], float)
    width = np.array([(row.high - row.low) / row.bins for row in SUMMARISED])
    free = np.where(events["event"] > 0, events["event_free_time"], np.inf)[..., None] > time
    alive = ~(events["death_time"][..., None] <= time)
    arms, n, times = alive.shape
    total, square = (np.zeros((arms, times, len(SUMMARISED)), np.int64) for _ in range(2))
    counts = np.zeros((arms, times, len(SUMMARISED), max(row.bins for row in SUMMARISED)), np.int64)
    for v, row in enumerate(SUMMARISED):
        x = summarised(truth, row)
        total[..., v] = (np.rint(x * scale[v]) * alive).sum(1)
        square[..., v] = (np.rint(x * x * scale[v]) * alive).sum(1)
        bins = np.clip((x - low[v]) / width[v], 0, row.bins - 1).astype(int)
        for a in range(arms):
            for t in range(times):
                counts[a, t, v, : row.bins] = np.bincount(bins[a, alive[a, :, t], t], minlength=row.bins)
    days = events["event_free_time"]
    ended = np.stack([(events["event"] == code).sum(1) for code in range(3)], 1)
    restricted = np.rint(days * 1024).astype(np.int64).sum(1)
    squares = np.rint(days**2).astype(np.int64).sum(1)
    return Sums(
        alive.sum(1),
        free.sum(1),
        total,
        square,
        counts,
        ended,
        restricted,
        squares,
        n,
        scale,
        scale,
        low,
        width,
        stages=stages_of(truth, alive),
    )


def stages_of(truth: dict, alive: np.ndarray) -> np.ndarray:
    """The living by stage; here a stage is how many quarters of the score are lost, the same in every system."""
    code = np.clip(truth["alsfrs_r"] // 12, 0, 3).astype(int)
    found = np.stack([((3 - code == k) & alive).sum(1) for k in range(6)], axis=-1)
    return np.repeat(found[:, :, None], 3, axis=2)


def make_record(n: int = 60, seed: int = 7, full: bool = True, step: float = 28.0, at_onset: bool = False) -> Record:
    """A run of `n` patients in three arms over two years."""
    patients, events, truth, observed, doses, time = make_arrays(n, seed, step, at_onset)
    sums = sums_of(truth, events, time)
    if not full:
        patients = events = truth = observed = doses = {}
    return Record(
        title="A synthetic <run> & more",
        seed=seed,
        arms=ARMS,
        variants=VARIANTS,
        strata=("faster", "slower"),
        time=time,
        visit_days=np.arange(0.0, 729, 28.0),
        n_patients=n,
        follow_up_days=728.0,
        patients=patients,
        events=events,
        truth=truth,
        observed=observed,
        doses=doses,
        sums=sums,
        screening={"candidates": 3 * n, "rejected": [("faster", "svc_percent >= 65", np.int64(2 * n))]},
        warnings=["An <odd> value & more"],
    )


def make_arrays(n: int, seed: int, step: float, at_onset: bool) -> tuple:
    """The arrays of a record. Each patient has own random numbers, so that 2 n patients begin with these n."""
    time = np.arange(0.0, 729, step)
    draws = np.stack([np.random.default_rng([seed, i]).normal(size=8) for i in range(n)])
    speed = np.exp(0.3 * draws[:, 0])[None, :, None]
    effect = np.array([1.0, 0.5, 0.7])[:, None, None]
    u = 0.4 + speed * effect * time / 600
    domain = 12 / (1 + (u / (0.9 + 0.05 * draws[:, 1])[None, :, None]) ** 3)
    names = ("bulbar", "fine_motor", "gross_motor", "respiratory")
    truth = {f"alsfrs_r_{name}": domain for name in names} | {
        "alsfrs_r": 4 * domain,
        "svc": 95 / (1 + u**2),
        "hhd": -1.6 * (1 - domain / 12),
        "nfl_plasma": np.exp(4 + 0.4 * draws[:, 2][None, :, None] - (1 - effect) * np.minimum(time / 200, 1)),
        "sod1_csf": 1 - (1 - effect) * np.minimum(time / 200, 1) * np.exp(0.1 * draws[:, 3][None, :, None]),
        "rate": effect + 0 * u,
        "disease_time": u,
    }
    truth = {key: np.broadcast_to(x, u.shape).astype(np.float32) for key, x in truth.items()}
    event_day = 500 * np.exp(0.5 * draws[:, 4])[None] / effect[..., 0]
    kind = np.where(draws[:, 5] > 1, 2, 1)[None]
    happened = event_day < 728
    death = np.where(kind == 2, event_day + 300, event_day)
    events = {
        "event_free_time": np.minimum(event_day, 728.0),
        "event": (kind * happened).astype(np.int8),
        "death_time": np.where(death < 728, death, np.nan),
        "dropout_time": np.broadcast_to(np.where(draws[:, 6] > 1, 300.0, np.nan), event_day.shape),
        "followup_time": np.full(event_day.shape, 728.0),
    }
    patients = make_patients(n, draws, at_onset)
    observed = make_observed(truth, events["death_time"], time)
    day = np.tile(np.arange(0, 365, 28.0), 2 * n)
    doses = {
        "arm": np.repeat([1, 2], len(day) // 2).astype(np.int8),
        "patient": np.tile(np.repeat(np.arange(n, dtype=np.int32), 14), 2),
        "day": day.astype(np.float32),
        "dose_mg": np.full(len(day), 100, np.float32),
    }
    return patients, events, truth, observed, doses, time


def make_patients(n: int, draws: np.ndarray, at_onset: bool) -> dict:
    """Who they are."""
    return {
        "variant": (np.arange(n) % 2).astype(np.int16),
        "fast_variant": np.arange(n) % 2 == 0,
        "sex": (np.arange(n) % 3 == 0).astype(np.int8),
        "age_at_onset": (50 + 10 * draws[:, 7]).astype(np.float32),
        "age": (51 + 10 * draws[:, 7]).astype(np.float32),
        "time_since_onset": np.full(n, 0.0 if at_onset else 12.0, np.float32),
        "stratum": (np.arange(n) % 2).astype(np.int8),
        "candidates": np.full(n, 3, np.int32),
        "onset_site": (np.arange(n) % 3).astype(np.int8),
        "d50": np.exp(3 + draws[:, 0]).astype(np.float32),
        "tau_svc": np.exp(draws[:, 1]).astype(np.float32),
    }


def make_observed(truth: dict, death: np.ndarray, time: np.ndarray) -> dict:
    """What visits every 28 days see: nothing after death."""
    visits = np.arange(0.0, 729, 28.0)
    at = np.abs(time[:, None] - visits).argmin(0)
    gone = death[..., None] <= visits
    names = ("alsfrs_r", "svc", "hhd", "nfl_plasma", "sod1_csf")
    seen = {key: np.where(gone, np.nan, truth[key][..., at]).astype(np.float32) for key in names}
    seen["alsfrs_r"] = np.rint(seen["alsfrs_r"])
    seen["day"] = np.where(gone, np.nan, visits).astype(np.float32)
    return seen


def make_provenance(record: Record, **changes: Any) -> Provenance:
    """Where a synthetic run pretends to come from."""
    output = "full" if record.events else "summary"
    standard = {
        "scenario": "title: synthetic\n# " + "x" * 70_000 + "\n",
        "scenario_sha256": "ab" * 32,
        "engine_version": "0.0.1",
        "name": "synthetic",
        "output": output,
        "versions": {"numpy": "2.0", "simulator": "0.0.1"},
        "citations": ("A paper. doi:10.1000/1",),
        "analysis_days": (196.0, 364.0),
        "control": "untreated",
        "contrasts": (*((arm, "untreated") for arm in ARMS[1:]), ("early_start", "delayed_start")),
        "arguments": {"patients": record.n_patients, "seed": record.seed, "output": output},
    }
    return Provenance(**(standard | changes))


BY_ARM = ("alive", "event_free", "total", "square", "counts", "ended", "restricted", "restricted_square", "stages")


def with_arms(names, stages=True, **options):
    """A result whose arms are those of the synthetic run, over and over."""
    record = make_record(60, **options)
    pick = np.arange(len(names)) % 3
    groups = {key: {k: v[pick] for k, v in getattr(record, key).items()} for key in ("events", "truth", "observed")}
    sums = record.sums._replace(**{key: getattr(record.sums, key)[pick] for key in BY_ARM})
    sums = sums if stages else sums._replace(stages=None)
    kept = record.doses["arm"] < len(names)
    doses = {key: values[kept] for key, values in record.doses.items()}
    record = replace(record, arms=tuple(names), sums=sums, doses=doses, **groups)
    return name(record, lambda: make_provenance(record))
