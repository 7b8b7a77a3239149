"""The answer of a trial in sentences, for a terminal and the report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulator.studies.trial.comparisons.shown import arms_of
from simulator.studies.trial.html import percent
from simulator.studies.trial.measures import POWER
from simulator.tables.numbers import when

if TYPE_CHECKING:
    from simulator.studies.trial.result import Trial


def answer(trial: Trial) -> Iterator[str]:
    """What the trial comes to: a sentence for each analysis on the last day."""
    day = trial.days[-1]
    for name in trial.analyses:
        claimed, none = (percent(trial.measure(name, key, day)) for key in (POWER, "type_one_error"))
        wrong = f"; without an effect {none} % claim one" if none.strip("–- ") else ""
        yield f"{name}, {when(day, capital=False)}: {claimed} % of trials claim benefit{wrong}."
    for one in arms_of(trial):
        yield from (f"{one.analysis}: {words}" for words in one.words)
