"""The arrays that the loop works in and fills."""

from typing import NamedTuple

import numpy as np

from simulator.engine.mathematics import F

NOBODY = -F(np.inf)
"""Day of death of a lane that holds no patient."""
LOOK, INSIDE = 1, 2
"""Flags of a step: something is wanted at its start; something is wanted between its start and the next."""


class Calendar(NamedTuple):
    """Days of output and how far to go."""

    day: np.ndarray  # (time,) int32, ascending, the first is 0
    flags: np.ndarray  # (step,) uint8
    visit: np.ndarray  # (visit,) int32 nominal days of visits
    end: np.float32  # last day of follow-up
    staged: bool  # whether stages are wanted
    known: np.ndarray  # (output,) int64 numbers of the outputs that the model and the drug have, without stages


class Full(NamedTuple):
    """Arrays of a full run, filled in place; with no patients in summary mode."""

    truth: np.ndarray  # (output, arm, patient, time) float32
    observed: np.ndarray  # (observed, arm, patient, visit) float32
    event: np.ndarray  # (arm, patient) float32 day of death or PAV, infinity if never
    kind: np.ndarray  # (arm, patient) int8: 1 death, 2 PAV
    death: np.ndarray  # (arm, patient) float32
    dropout: np.ndarray  # (arm, patient) float32 day of dropout, infinity if never
    stop: np.ndarray  # (arm, patient) float32 day from which no dose is given
    onset: np.ndarray  # (arm, patient) float32 day of onset in this arm, where people enter before it; else nobody
    traits: np.ndarray  # (row, patient) float32 all rows at baseline, response to the first arm's drug included
    candidates: np.ndarray  # (2, patient) int32 accepted candidate, candidates tried
    doses: np.ndarray  # (arm, patient, dose) float32 days of the patient's own calendar, NaN where none
    reactions: np.ndarray  # (arm, patient, reaction, 4) float32: columns of safety.py, NaN where none
    lives: np.ndarray  # (arm, patient, lives.KEPT) float32 days of what rules found, infinity where never


class Space(NamedTuple):
    """Working space of one worker."""

    cohort: np.ndarray  # (row, batch) float32
    who: np.ndarray  # (2, batch) uint32
    part: int  # patients stepped together
    s: np.ndarray  # (block, row * LANES) float32
    w: np.ndarray  # (block, identity row * LANES) uint32
    base: np.ndarray  # (block, variable * LANES) float32
    before: np.ndarray  # (row * LANES,)
    peeked: np.ndarray  # (row * LANES,)
    o: np.ndarray  # (output row * LANES,)
    calendars: np.ndarray  # (part, dose) float32 days of doses in the patients' own calendars, infinity after the last
    windows: np.ndarray  # (part, epoch, 2) float32 time on the drug, where patients have calendars of their own
    lives: np.ndarray  # (part, lives.COLUMNS) float32, see lives.py; one line where nobody needs one
    day: np.ndarray  # (LANES,) float32 actual visit days
    x: np.ndarray  # (LANES,) float32 values being summed
    alive: np.ndarray  # (LANES,) int32 mask
    bins: np.ndarray  # (LANES,) int32
