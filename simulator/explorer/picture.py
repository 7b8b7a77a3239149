"""What the page draws of a run: curves by arm, stages, a table, the answer in words; plain data, small enough to send.

Rounded to four digits and at most `POINTS` times: the page draws no more than can be told apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.contrast import difference
from simulator.analysis.moments import Estimate
from simulator.measures.headline import headline_days, main_day
from simulator.measures.metrics import Metric, estimate, known, shown
from simulator.report.scale import time_scale
from simulator.results import Result
from simulator.results.variables import STAGES
from simulator.studies.answer import Comparison, Figure
from simulator.studies.ranges import ANSWERING
from simulator.tables.numbers import when, with_error

if TYPE_CHECKING:
    from simulator.studies.trial.result import Trial

Floats = NDArray[np.float64]
Told = dict[tuple[str, str], Estimate]
Ends = Mapping[tuple[str, str, str], tuple[float, float]]
Figures = dict[str, tuple[Metric, Told]]
POINTS = 80
PATIENT = {
    "alsfrs_r": ("ALSFRS-R, points", 0, 48),
    "svc": ("SVC, % of predicted", 0, 120),
    "kings_stage": ("stage", 0, 6),
}
FEWEST = 20
"""Means over survivors end where fewer are alive, as in the report's pictures."""


class Curve(NamedTuple):
    """A picture of one line for each arm: where its numbers are read, and its axis."""

    name: str
    title: str
    axis: str
    note: str
    read: Callable[[Result, int], Floats]
    needs: str
    low: float | None = None
    high: float | None = None
    log: bool = False


def _summary(name: str, living: bool = False, factor: float = 1.0) -> Callable[[Result, int], Floats]:
    """A variable of the summary, without the times at which too few live to average over them."""

    def read(result: Result, arm: int) -> Floats:
        group = result.groups["summary"]
        values = group[name].values[arm].astype(np.float64) * factor
        enough = group["alive"].values[arm] >= min(FEWEST, result.n_patients / 5)
        return np.where(enough, values, np.nan) if living else values

    return read


_FLATTENS = "Mean of survivors. It flattens as those who decline fastest die."
_ALIVE = "alive without permanent ventilation, %"
CURVES = (
    Curve(
        "function",
        "Function, death counts as 0",
        "ALSFRS-R, points",
        "Everybody counts; the dead score 0 points.",
        _summary("alsfrs_r_death0_mean"),
        "alsfrs_r",
        0,
        48,
    ),
    Curve(
        "event_free",
        "Event-free survival",
        _ALIVE,
        "The event is death or permanent assisted ventilation.",
        _summary("event_free", factor=100),
        "",
        0,
        100,
    ),
    Curve(
        "nfl_plasma",
        "Neurofilament in plasma",
        "NfL, pg/mL",
        "Geometric mean of survivors; deaths change who they are.",
        _summary("nfl_plasma_mean", living=True),
        "nfl_plasma",
        log=True,
    ),
    Curve(
        "sod1_csf",
        "Target protein in CSF",
        "ratio to baseline",
        "Geometric mean of survivors.",
        _summary("sod1_csf_mean", living=True),
        "sod1_csf",
        0,
    ),
    Curve("svc", "Breathing", "SVC, % of predicted", _FLATTENS, _summary("svc_mean", living=True), "svc", 0, 120),
    Curve("survival", "Survival", "alive, %", "On ventilation or not.", _summary("survival", factor=100), "", 0, 100),
)


def picture(result: Result, day: float | None = None) -> dict[str, Any]:
    """Everything that the page shows of a run, ready for JSON.

    Parameters
    ----------
    result : Result
        With its patients or without; without them differences are not paired and their errors are upper bounds.
    day : float, optional
        The day of the table and of the answer; the last that the scenario asks about by default.
    """
    days = headline_days(result)
    wanted = main_day(result) if day is None else day
    day = min(days, key=lambda one: abs(one - wanted))
    at, scale, read = _shown_times(result), time_scale(result.follow_up_days), figures(result, day)
    return {
        "arms": list(result.arms),
        "control": result.control,
        "unit": scale.unit.lower(),
        "end": scale.end,
        "ticks": scale.ticks,
        "time": short(scale.of(result.time[at])),
        "day": day,
        "days": [{"day": one, "label": when(one)} for one in days],
        "curves": [_drawn(one, result, at) for one in CURVES if not one.needs or result.has(one.needs)],
        "stages": _stages(result, at),
        "table": table(result, day, read),
        "answer": answer(result, day, read, {}),
        "patients": result.n_patients,
        "paired": result.is_full,
    }


def curves(result: Result) -> dict[str, list[Floats]]:
    """The values of every curve by arm, at the times that are shown."""
    at = _shown_times(result)
    shown = [one for one in CURVES if not one.needs or result.has(one.needs)]
    return {one.name: [one.read(result, arm)[at] for arm in range(len(result.arms))] for one in shown}


def _shown_times(result: Result) -> NDArray[np.int64]:
    """At most `POINTS` of the times, the first and the last with them."""
    n = len(result.time)
    return np.unique(np.linspace(0, n - 1, min(n, POINTS)).round().astype(np.int64))


def _drawn(one: Curve, result: Result, at: NDArray[np.int64]) -> dict[str, Any]:
    return {
        "name": one.name,
        "title": one.title,
        "axis": one.axis,
        "note": one.note,
        "low": one.low,
        "high": one.high,
        "log": one.log,
        "lines": [short(one.read(result, arm)[at]) for arm in range(len(result.arms))],
    }


def _stages(result: Result, at: NDArray[np.int64]) -> dict[str, Any] | None:
    """Shares of King's stages, or of the events where there are none: (arm, stage, time)."""
    group = result.groups["summary"]
    if "kings_stage_share" in group:
        shares, names, title = group["kings_stage_share"].values, STAGES["kings_stage"], "King's stage"
        named = ["no stage" if name == "none" else name if name == "death" else f"stage {name}" for name in names]
    else:
        alive, free = group["survival"].values, group["event_free"].values
        shares, title = np.stack([free, alive - free, 1 - alive], axis=-1), "State"
        named = ["event-free", "ventilated", "death"]
    kept = [k for k in range(len(named)) if shares[..., k].max() > 0]
    lines = [[short(100 * shares[arm, at, k]) for k in kept] for arm in range(len(result.arms))]
    return {"title": title, "names": [named[k] for k in kept], "shares": lines}


def figures(result: Result, day: float) -> Figures:
    """The metrics of everybody on one day: by metric, in each arm and between the arms of each pair."""
    found: Figures = {}
    for metric in known(result):
        by_arm = {arm: estimate(metric, result, arm, day) for arm in result.arms}
        told = {(arm, ""): shown(metric, one) for arm, one in by_arm.items() if one.n}
        for a, b in result.contrasts:
            if by_arm[a].n and by_arm[b].n:
                told[a, b] = shown(metric, difference(by_arm[a], by_arm[b], same_patients=True))
        if told:
            found[metric.name] = metric, told
    return found


def table(result: Result, day: float, read: Figures) -> dict[str, Any]:
    """Metrics down, arms and their differences across, everybody, on one day."""
    columns = [*((arm, "") for arm in result.arms), *result.contrasts]
    body = []
    for metric, told in read.values():
        cells = [with_error(told[key].value, told[key].mcse, metric.digits) if key in told else "" for key in columns]
        body.append([f"{metric.label}, {metric.unit}", *cells])
    kind = "in the same patients" if result.is_full else "upper bounds while a slider moves"
    caption = f"{when(day)}, everybody; ± is the Monte Carlo standard error, of differences {kind}"
    return {"caption": caption, "heads": [f"{a} vs {b}" if b else a for a, b in columns], "rows": body}


def answer(result: Result, day: float, read: Figures, ends: Ends) -> list[str]:
    """A sentence for each pair of arms, or for the only arm; with the ends of the parameters' range, where known."""
    found = []
    for pair in result.contrasts or [(arm, "") for arm in result.arms]:
        told = []
        for name in ANSWERING:
            metric, each = read.get(name, (None, {}))
            if metric is not None and pair in each and not math.isnan(each[pair].value):
                one, range_ = each[pair], ends.get((name, *pair), (math.nan, math.nan))
                told.append(Figure(name, metric.label, metric.unit, one.value, one.mcse, *range_, metric.digits))
        if told:
            found.append(Comparison(*pair, day, tuple(told)).text)
    return found


def patient(result: Result, number: int) -> dict[str, Any]:
    """One simulated patient in every arm: function until death, and what happened when.

    Parameters
    ----------
    result : Result
        Of this patient alone.
    number : int
        What the patient is called.
    """
    at, scale = _shown_times(result), time_scale(result.follow_up_days)
    truth, events, people = (result.groups[name] for name in ("truth", "events", "patients"))
    death = events["death_time"].values[:, 0]
    name = next((key for key in PATIENT if key in truth), None)
    words, low, high = PATIENT.get(str(name), ("", 0, 1))
    lines = []
    for arm in range(len(result.arms)):
        values = truth[name].values[arm, 0][at].astype(np.float64) if name else np.full(len(at), np.nan)
        lines.append(short(np.where(result.time[at] >= death[arm], np.nan, values)))
    about = [str(people["variant"].values[0])]
    if np.isfinite(age := float(people["age"].values[0])):
        about.append(f"{'woman' if people['sex'].values[0] else 'man'} of {age:.0f}")
    if np.isfinite(since := float(people["time_since_onset"].values[0])):
        about.append(f"{since:.0f} months after onset at baseline")
    happened = [_happened(result, arm, float(scale.days), scale.unit.lower()) for arm in range(len(result.arms))]
    note = f"{', '.join(about)}. {'; '.join(happened)}."
    about_curve = {"name": "patient", "title": f"Patient {number}, until death", "axis": words, "note": note}
    return about_curve | {"low": low, "high": high, "log": False, "lines": lines}


def powers(found: Trial, own: int) -> dict[str, Any]:
    """Power at some sizes, a line for each analysis, with the Monte Carlo interval; and in words at the trial's own."""
    day = found.days[0]
    each = {name: found.power(name, day) for name in found.analyses}
    sizes = list(next(iter(each.values())))
    words = [
        f"{name}: {100 * one[own].value:.0f} % ({100 * one[own].lower:.0f} to {100 * one[own].upper:.0f})"
        for name, one in each.items()
    ]
    caption = f"{found.replicates} trials at {when(day, False)}; bands are 95 % Monte Carlo intervals"
    return {
        "picture": {"arms": list(each), "control": "", "time": sizes, "end": max(sizes), "ticks": sizes},
        "curve": {
            "name": "power",
            "title": f"With {own} participants: {', '.join(words)}",
            "axis": "power, %",
            "note": f"{caption}.",
            "low": 0,
            "high": 100,
            "log": False,
            "lines": [short([100 * one.value for one in line.values()]) for line in each.values()],
        },
        "bands": [
            [short([100 * getattr(one, end) for one in line.values()]) for end in ("lower", "upper")]
            for line in each.values()
        ],
    }


def _happened(result: Result, arm: int, days: float, unit: str) -> str:
    """What ended the patient's event-free time, in words."""
    events = result.groups["events"]
    kind, time = int(events["event"].values[arm, 0]), float(events["event_free_time"].values[arm, 0]) / days
    words = {0: f"event-free for all {time:.1f} {unit}", 1: f"died at {time:.1f} {unit}"}
    return f"{result.arms[arm]}: {words.get(kind, f'permanent ventilation at {time:.1f} {unit}')}"


def short(values: Any) -> list[float | None]:
    """Four digits each; None where there is no number."""
    return [float(f"{x:.4g}") if math.isfinite(x) else None for x in np.asarray(values, np.float64).tolist()]
