"""A run of twins counted from now: days, ages and visits shifted, weights in the sums."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.results.record import Arrays, Record
from simulator.results.variables import BINS, STAGES, SUMMARISED
from simulator.studies.person.selection import Chosen
from simulator.units import DAYS_PER_MONTH, MONTHS_PER_YEAR

if TYPE_CHECKING:
    from simulator.language.blocks.person import Reading
    from simulator.language.scenario import Scenario

READ = {"alsfrs_r": "alsfrs_r", "svc_percent": "svc", "nfl_plasma": "nfl_plasma"}


def rebase(record: Record, scenario: Scenario, now: int, chosen: Chosen) -> Record:
    """The record of twins from now on."""
    assert scenario.person is not None
    keep = record.time >= now
    time = record.time[keep] - now
    truth = {key: values[:, :, keep] for key, values in record.truth.items()}
    events = {key: values - now if key.endswith("_time") else values for key, values in record.events.items()}
    months = now / DAYS_PER_MONTH
    patients = record.patients | {
        "age": record.patients["age"] + months / MONTHS_PER_YEAR,
        "time_since_onset": record.patients["time_since_onset"] + months,
        "weight": chosen.weights,
        "twin": chosen.numbers,
    }
    return replace(
        record,
        title=scenario.title,
        time=time,
        visit_days=np.maximum(record.visit_days - now, 0.0),
        follow_up_days=float(scenario.follow_up_days),
        patients=patients,
        truth=truth,
        events=events,
        observed=_observed(record.observed, now, scenario.person.now),
        doses=record.doses | {"day": record.doses["day"] - np.float32(now)},
        sums=_sums(truth, events, time, chosen),
        screening=_found(chosen),
        warnings=[*record.warnings, *_warnings(chosen)],
    )


def _found(chosen: Chosen) -> dict[str, Any]:
    """How the twins were found."""
    return {
        "twins_looked_at": chosen.looked_at,
        "share_that_fits": chosen.share,
        "method": chosen.method,
        "effective_sample_size": chosen.effective,
    }


def _warnings(chosen: Chosen) -> list[str]:
    if chosen.effective >= 100:
        return []
    return [f"the twins are worth {chosen.effective:.0f} independent ones: the distributions are coarse"]


def _observed(observed: Arrays, now: int, reading: Reading) -> Arrays:
    """What visits saw from now on; now itself is what was measured of the person."""
    found = {}
    for key, values in observed.items():
        found[key] = values.copy()
        found[key][:, :, 0] = 0 if key == "day" else np.nan
    found["day"][:, :, 1:] -= now
    for name, key in READ.items():
        if key in found and (given := getattr(reading, name)) is not None:
            found[key][:, :, 0] = given.value
    if "alsfrs_r" in found and len(reading.domains) == 4:
        found["alsfrs_r"][:, :, 0] = sum(reading.domains.values())
    return found


def _sums(truth: Arrays, events: Arrays, time: np.ndarray, chosen: Chosen) -> Any:
    """The sums of a run, of weights that add up to the effective sample size: so its errors follow as for any run."""
    weight = chosen.weights * (chosen.effective / chosen.weights.sum())
    alive = ~(events["death_time"][:, :, None] <= time)
    ended = (events["event"] > 0)[:, :, None] & (events["event_free_time"][:, :, None] <= time)
    living = alive * weight[None, :, None]
    known = [row for row in SUMMARISED if row.of in truth]
    values = [_added(truth, row) for row in known]
    low = np.array([row.low for row in known], np.float64)
    width = np.array([(row.high - row.low) / BINS for row in known])
    most = chosen.effective  # sums of weights may go past it by rounding
    return SimpleNamespace(
        alive=np.minimum(living.sum(axis=1), most),
        event_free=np.minimum(((~ended) * weight[None, :, None]).sum(axis=1), most),
        total=np.stack([(x * living).sum(axis=1) for x in values], axis=-1),
        square=np.stack([(x * x * living).sum(axis=1) for x in values], axis=-1),
        counts=np.stack([_histogram(x, living, *scale) for x, *scale in zip(values, low, width, strict=True)], axis=2),
        serious=None,
        stages=_stages(truth, living),
        ended=np.stack([((events["event"] == kind) * weight).sum(axis=1) for kind in range(3)], axis=-1),
        restricted=(events["event_free_time"] * weight).sum(axis=1),
        restricted_square=(events["event_free_time"] ** 2 * weight).sum(axis=1),
        n_patients=chosen.effective,
        scale=np.ones(len(known)),
        square_scale=np.ones(len(known)),
        low=low,
        width=width,
        restricted_scale=1.0,
        restricted_square_scale=1.0,
    )


def _added(truth: Arrays, row: Any) -> np.ndarray:
    """One summarised quantity of everybody, on the scale it is added on."""
    x = truth[row.of].astype(np.float64)
    x = np.log(x) if row.transform == "log" else x
    return x - x[:, :, :1] if row.since else x


def _histogram(x: np.ndarray, living: np.ndarray, low: float, width: float) -> np.ndarray:
    """Weights by bin, ends clipped: (arm, time, bin)."""
    bins = np.clip(np.floor((x - low) / width), 0, BINS - 1).astype(np.int64)
    arms, _, times = x.shape
    place = (np.arange(arms)[:, None, None] * times + np.arange(times)) * BINS + bins
    found = np.bincount(place.ravel(), weights=living.ravel(), minlength=arms * times * BINS)
    return found.reshape(arms, times, BINS)


def _stages(truth: Arrays, living: np.ndarray) -> np.ndarray | None:
    """Weights of the living by stage: (arm, time, system, stage)."""
    if not set(STAGES) <= set(truth):
        return None
    return np.stack(
        [np.stack([((truth[key] == k) * living).sum(axis=1) for k in range(6)], axis=-1) for key in STAGES], axis=2
    )
