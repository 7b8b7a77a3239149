"""ADQS: one row per participant, parameter and visit at which it was obtained.

Of a planned visit that nobody had, each participant has a row of the first parameter, without day and value: that it
was planned decides what an analysis takes for the last visit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.results.adam.trial import Trial, study_day, treatment, who, whole


class Parameter(NamedTuple):
    """A parameter of ADQS: the variable of `observed` it is."""

    source: str
    code: str
    text: str
    category: str
    ratio: bool = False  # whether its ratio to baseline is given too


PARAMETERS = (
    Parameter("alsfrs_r", "ALSFRSR", "ALSFRS-R Total Score (points)", "FUNCTION"),
    Parameter("svc", "SVC", "Slow Vital Capacity (% predicted)", "RESPIRATORY"),
    Parameter("hhd", "HHD", "Hand-Held Dynamometry Megascore (z)", "STRENGTH"),
    Parameter("nfl_plasma", "NFL", "Plasma Neurofilament Light (pg/mL)", "BIOMARKER", ratio=True),
    Parameter("sod1_csf", "SOD1", "CSF SOD1 (ratio to baseline)", "BIOMARKER", ratio=True),
    Parameter("kings_stage", "KINGS", "King's Clinical Stage", "STAGE"),
    Parameter("mitos_stage", "MITOS", "MiToS Stage", "STAGE"),
    Parameter("ft9_stage", "FT9", "FT9 Stage", "STAGE"),
)


def adqs(trial: Trial) -> dict[str, Any]:
    """One row per participant, parameter and visit at which it was obtained."""
    observed = trial.result.groups["observed"]
    parts = [_parameter(trial, number) for number, one in enumerate(PARAMETERS) if one.source in observed]
    parts.append(_never(trial, np.concatenate([part["visit"] for part in parts])))
    columns = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    order = np.lexsort([columns["visit"], columns["number"], columns["row"]])
    row, number, visit, value, base, day = (
        columns[key][order] for key in ("row", "number", "visit", "value", "base", "day")
    )
    later = visit > 0
    ratio = np.array([one.ratio for one in PARAMETERS])[number]
    nominal = observed["nominal_day"].values
    names = np.array([f"Week {d / 7:g}" if d % 7 == 0 else f"Day {d:g}" for d in nominal])
    names[0] = "Baseline"
    text = {key: np.array([getattr(one, key) for one in PARAMETERS])[number] for key in ("code", "text", "category")}
    with np.errstate(divide="ignore", invalid="ignore"):
        to_base = np.where(ratio & later, value / base, np.nan)
    return {
        **who(trial, row),
        **treatment(trial, row),
        "PARAMCD": text["code"],
        "PARAM": text["text"],
        "PARCAT1": text["category"],
        "AVISIT": names[visit],
        "AVISITN": visit,
        "ATPTD": nominal[visit],
        "ADY": study_day(day) if np.isfinite(day).all() else whole(day),
        "AVAL": value,
        "BASE": base,
        "CHG": np.where(later, value - base, np.nan),
        "R2BASE": to_base,
        "ABLFL": np.where(later, "", "Y"),
    }


def _parameter(trial: Trial, number: int) -> dict[str, np.ndarray]:
    """One parameter at the visits where it was obtained."""
    observed = trial.result.groups["observed"]
    values, days = (
        observed[key].values[trial.arm, trial.who].astype(np.float64) for key in (PARAMETERS[number].source, "day")
    )
    row, visit = np.nonzero(~np.isnan(values) & (days <= trial.end[:, None]))
    return {
        "row": row,
        "number": np.full(len(row), number),
        "visit": visit,
        "value": values[row, visit],
        "base": values[row, 0],
        "day": days[row, visit],
    }


def _never(trial: Trial, had: np.ndarray) -> dict[str, np.ndarray]:
    """Rows without a value for the planned visits that nobody had."""
    visits = np.setdiff1d(np.arange(len(trial.result.groups["observed"]["nominal_day"].values)), had)
    row, visit = (one.ravel() for one in np.meshgrid(np.arange(len(trial.who)), visits, indexing="ij"))
    none = np.full(len(row), np.nan)
    number = next(number for number, one in enumerate(PARAMETERS) if one.source in trial.result.groups["observed"])
    return {
        "row": row,
        "number": np.full(len(row), number),
        "visit": visit,
        "value": none,
        "base": none,
        "day": none,
    }
