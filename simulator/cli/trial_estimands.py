"""What a trial and each of its analyses estimates, as text of 80 columns."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from simulator.studies.trial.estimands import alike, in_words
from simulator.tables.text import WIDTH, clean

if TYPE_CHECKING:
    from simulator.studies.trial.result import Trial

HEAD = "what is estimated (ICH E9 R1)"


def estimands_text(trial: Trial) -> list[str]:
    """The scenario's own estimand first, then each analysis with its own; those alike stand together."""
    found = {} if trial.estimand is None else {"the scenario": in_words(trial.estimand)}
    texts = [clean(f"{names}: {text}") for names, text in (found | alike(trial.estimands)).items()]
    lines = [line for text in texts for line in wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")]
    return ["", HEAD, *lines]
