"""What the arms of a trial come to, as text and for the JSON document."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from simulator.studies.trial.comparisons.shown import KEYS, NOTE, arms_of
from simulator.tables.text import WIDTH, aligned

if TYPE_CHECKING:
    from simulator.studies.trial.result import Trial


def arms_text(trial: Trial) -> list[str]:
    """Tables for each analysis, a row for each arm and the trial; nothing without comparisons."""
    lines: list[str] = []
    for one in arms_of(trial):
        for table in filter(None, (one.decided, one.found, one.regimens)):
            lines += ["", *aligned([[f"{one.analysis}, by arm", *table[0][1:]], *table[1:]])]
        lines += [line for words in one.words for line in wrap(words, WIDTH)]
    return [*lines, *wrap(NOTE, WIDTH)] if lines else []


def arms_document(trial: Trial) -> dict[str, Any]:
    """The same as plain data."""
    return {
        key: {name: one.values.tolist() for name, one in trial.groups[key].items()}
        for key in KEYS
        if key in trial.groups
    }
