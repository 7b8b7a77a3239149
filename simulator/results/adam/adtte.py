"""ADTTE: one row per participant and time to an event."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.results.adam.trial import Trial, study_day, treatment, who


class _Timed(NamedTuple):
    """A time to an event, and the death that would end the wait: (n_participants,) days, infinite for never."""

    code: str
    text: str
    event: np.ndarray
    death: np.ndarray


def adtte(trial: Trial) -> dict[str, Any]:
    """One row per participant and time to an event; dropout and the end of follow-up censor."""
    never, size = np.full(len(trial.who), np.inf), len(trial.who)
    composite = np.where(trial.events("event") > 0, trial.events("event_free_time"), np.inf)
    timed = (
        _Timed("DTHPAV", "Time to Death or PAV (days)", composite, never),
        _Timed("DEATH", "Time to Death (days)", trial.death, never),
        _Timed("DROPOUT", "Time to Dropout (days)", trial.dropout, trial.death),
    )
    rows = np.repeat(np.arange(size), len(timed))
    ends = [_ended(trial, one) for one in timed]
    day, reason = (np.stack([end[k] for end in ends], axis=1).ravel() for k in (0, 1))
    words = np.array(["", "END OF FOLLOW-UP", "DROPOUT", "DEATH"])
    names = np.tile(
        np.array([one.text.removeprefix("Time to ").removesuffix(" (days)").upper() for one in timed]), size
    )
    return {
        **who(trial, rows),
        **treatment(trial, rows),
        "PARAMCD": np.tile([one.code for one in timed], size),
        "PARAM": np.tile([one.text for one in timed], size),
        "AVAL": study_day(day),
        "TTEDAYS": day,
        "CNSR": reason,
        "EVNTDESC": np.where(reason == 0, names, words[reason]),
    }


def _ended(trial: Trial, one: _Timed) -> tuple[np.ndarray, np.ndarray]:
    """Day on which the wait ended and why: 0 the event, 1 end of follow-up, 2 dropout, 3 death."""
    dropout = np.full(len(trial.who), np.inf) if one.code == "DROPOUT" else trial.dropout
    times = np.stack([one.event, trial.events("followup_time"), dropout, one.death])
    reason = times.argmin(axis=0)  # the event comes first among equals
    return times.min(axis=0), reason
