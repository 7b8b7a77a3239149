"""What the number format and the step of 7 days can give at best: C against NumPy, and NumPy against itself.

The engine itself is held to the same bounds in tests/, against an oracle that is written from the model alone.
"""

import numpy as np

from benchmarks import c_twin, numpy_twin
from benchmarks.cohort import MONTH, Traits, cohort
from benchmarks.philox import volatility_normals
from benchmarks.table import Row

PATIENTS, WEEKS, SEED = 4096, 286, 1
STEP_PATIENTS, STEP_WEEKS, SHORT = 2048, 148, 0.25


def normals(patients: np.ndarray, epoch: int) -> np.ndarray:
    """The same for every step length and for C."""
    return volatility_normals(patients, epoch, SEED)


def rows(rounds: int) -> list[Row]:
    """Differences; `rounds` is not used."""
    return [*number_format(), *step_length(cohort(STEP_PATIENTS))]


def number_format() -> list[Row]:
    """Months between event times of C in float32 and NumPy in float64."""
    figure = "float32 against float64, C twin: event times, 99.9 %"
    if not c_twin.available():
        return [Row(figure, None, None, "months", 1e-3, 3e-4, note="clang is not installed")]
    people = cohort(PATIENTS)
    exact = numpy_twin.simulate(people, WEEKS, normals)
    single = c_twin.simulate(c_twin.inputs(people), WEEKS, SEED)
    most = float(np.nanquantile(np.abs(single.event_time - exact.event_time) / MONTH, 0.999))
    return [Row(figure, most, most, "months", 1e-3, 3e-4)]


def step_length(people: Traits) -> list[Row]:
    """Treated arm at week 148: 7 days against a quarter of a day."""
    long, long_events = treated(people, numpy_twin.STEP)
    short, short_events = treated(people, SHORT)
    alsfrs_r = float(np.abs(long[0] - short[0]).max())
    nfl = float(np.abs(long[2] / short[2] - 1).max())
    events = float(np.nanquantile(np.abs(long_events - short_events) / 7, 0.999))
    name = "7 days against 0.25, NumPy twin: "
    return [
        Row(name + "ALSFRS-R at week 148, most", alsfrs_r, alsfrs_r, "points", 0.01, 1e-4),
        Row(name + "event times, 99.9 %", events, events, "weeks", 0.02, 0.01),
        Row(name + "NfL, most", nfl, nfl, "relative", 3e-3, 1e-3),
    ]


def treated(people: Traits, days: float) -> tuple[np.ndarray, np.ndarray]:
    """What can be seen at week 148, and event times, of the treated arm stepped by `days`."""
    n, before = len(people.u0), numpy_twin.STEP
    outcome = numpy_twin.Outcome(np.full((2, n), np.nan), np.zeros((2, 7 * STEP_WEEKS // numpy_twin.EPOCH + 1, 5)))
    numpy_twin.STEP = days
    try:
        seen = numpy_twin.run_arm(people, np.arange(n), (STEP_WEEKS, 1, normals, False), outcome)
    finally:
        numpy_twin.STEP = before
    return seen, outcome.event_time[1]
