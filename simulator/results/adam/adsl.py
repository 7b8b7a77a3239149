"""ADSL: one row per participant."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.results.adam.trial import Trial, study_day, treatment, who, whole


def adsl(trial: Trial) -> dict[str, Any]:
    """One row per participant."""
    rows = np.arange(len(trial.who))
    treated = treatment(trial, rows)
    died, left = trial.death <= trial.end, trial.dropout <= trial.end
    return {
        **who(trial, rows),
        "AGE": np.floor(trial.patients("age")).astype(np.int64),
        "SEX": np.where(trial.patients("sex") == 1, "F", "M"),
        "ARM": treated["TRTP"],
        "TRT01P": treated["TRTP"],
        "TRT01PN": treated["TRTPN"],
        "STRATAR": treated["STRATAR"],
        "RANDFL": "Y",
        "ITTFL": "Y",
        **_of_disease(trial),
        **_of_biomarkers(trial),
        **_of_doses(trial),
        "EOSSTT": np.where(died | left, "DISCONTINUED", "COMPLETED"),
        "DCSREAS": np.select([died, left], ["DEATH", "DROPOUT"], ""),
        "EOSDY": study_day(trial.end),
        "DTHFL": np.where(died, "Y", ""),
    }


def _of_disease(trial: Trial) -> dict[str, Any]:
    """What is known of the disease; a model that has no such trait leaves its column empty."""
    patients = trial.result.groups["patients"]
    found: dict[str, Any] = {"VARIANT": trial.patients("variant"), "ONSMON": trial.patients("time_since_onset")}
    if "fast_variant" in patients:
        found["FASTFL"] = np.where(trial.patients("fast_variant") == 1, "Y", "N")
    if "onset_site" in patients:
        names = np.array(patients["onset_site"].attrs["flag_meanings"].upper().split())
        found["ONSSITE"] = names[trial.patients("onset_site")]
    if "age_at_onset" in patients:
        found["ONSAGE"] = trial.patients("age_at_onset")
    return found


def _of_biomarkers(trial: Trial) -> dict[str, Any]:
    """What analyses take as covariates; the column is empty where it was not measured."""
    observed = trial.result.groups["observed"]
    if "nfl_plasma" not in observed:
        return {}
    with np.errstate(divide="ignore"):
        return {"LOGNFL": np.log(observed["nfl_plasma"].values[trial.arm, trial.who, 0]).astype(np.float64)}


def _of_doses(trial: Trial) -> dict[str, Any]:
    """Doses in the arm that was seen, until the end of the study."""
    doses, size = trial.result.groups["doses"], trial.result.n_patients
    place = np.full(size, -1)
    place[trial.who] = np.arange(len(trial.who))
    row, arm, day = place[doses["patient"].values], doses["arm"].values, doses["day"].values.astype(np.float64)
    mine = (row >= 0) & (arm == trial.arm[row]) & (day <= trial.end[row])
    row, day = row[mine], day[mine]
    count = np.bincount(row, minlength=len(trial.who))
    first, last = np.full(len(trial.who), np.inf), np.full(len(trial.who), -np.inf)
    np.minimum.at(first, row, day)
    np.maximum.at(last, row, day)
    return {
        "SAFFL": np.where(count > 0, "Y", "N"),
        "NDOSES": count,
        "TRTSDY": whole(first),
        "TRTEDY": whole(last),
    }
