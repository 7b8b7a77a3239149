"""A result with other pairs of arms and other days than those of its design."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from simulator.errors import SimulatorError, absent
from simulator.results import Result

NEAREST = 6
"""Days of output that an error names."""


class SelectionError(SimulatorError):
    """There is no such arm, or nothing was kept on that day."""

    exit_code = 2


def asking(result: Result, against: str | None = None, days: Sequence[float] | None = None) -> Result:
    """The result, of which headline, tables, pictures and report show these pairs and days; its numbers are the same.

    Parameters
    ----------
    result : Result
    against : str, optional
        The arm that every other arm is set against; by default the pairs of the design.
    days : sequence of float, optional
        Days of output; the last day is shown too. By default those of the design.

    Raises
    ------
    SelectionError
        There is no such arm, or the day is no day of output.
    """
    if against is None and not days:
        return result
    check(result.arms, result.time, against, days)
    chosen: dict[str, str] = {}
    if against is not None:
        pairs = [[arm, against] for arm in result.arms if arm != against]
        chosen = {"control": against, "contrasts": json.dumps(pairs, ensure_ascii=False)}
    if days:
        chosen["named_days"] = json.dumps([float(day) for day in days])
    found = Result(lambda: result.attrs | chosen, result.groups)
    found.note_file(result.file_sha256)
    return found


def check(arms: Iterable[str], times: Iterable[float], against: str | None, days: Sequence[float] | None) -> None:
    """Refuse an arm that is not there, and days after baseline of which nothing is kept.

    Raises
    ------
    SelectionError
        With what there is.
    """
    known, kept = list(arms), [float(time) for time in times if time]
    if against is not None and against not in known:
        raise SelectionError(absent("arm", against, known))
    for day in days or ():
        if day not in kept:
            near = ", ".join(f"{time:g}" for time in sorted(sorted(kept, key=lambda time: abs(time - day))[:NEAREST]))
            raise SelectionError(
                f"day {day:g} is no day of output. Choose from {near} and others, or add it to output.days"
            )
