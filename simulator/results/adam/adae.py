"""ADAE: one row per participant and adverse event."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.results.adam.trial import Trial, study_day, treatment, who

ACTIONS = np.array(["DOSE NOT CHANGED", "DRUG INTERRUPTED", "DRUG WITHDRAWN"])


def adae(trial: Trial) -> dict[str, Any]:
    """One row per participant and adverse event in the arm that was seen, until the end of the study."""
    events = {key: array.values for key, array in trial.result.groups["adverse_events"].items()}
    names = np.array(str(trial.result.groups["adverse_events"]["kind"].attrs["flag_meanings"]).upper().split())
    place = np.full(trial.result.n_patients, -1)
    place[trial.who] = np.arange(len(trial.who))
    row, day = place[events["patient"]], events["day"].astype(np.float64)
    mine = np.flatnonzero((row >= 0) & (events["arm"] == trial.arm[row]) & (day <= trial.end[row]))
    return {
        **who(trial, row[mine]),
        **treatment(trial, row[mine]),
        "AEDECOD": np.char.replace(names, "_", " ")[events["kind"][mine]],
        "ASTDY": study_day(day[mine]),
        "AESER": np.where(events["serious"][mine] == 1, "Y", "N"),
        "AEACN": ACTIONS[events["action"][mine]],
        "TRTEMFL": "Y",
    }
