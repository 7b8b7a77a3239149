"""What a trial and each of its analyses estimates, as text of 80 columns."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from simulator.cli.tables import WIDTH, clean

if TYPE_CHECKING:
    from simulator.studies.trial.result import Trial

HEAD = "what is estimated (ICH E9 R1)"


def estimands_text(trial: Trial) -> list[str]:
    """The scenario's own estimand first, then each analysis with its own; those alike stand together."""
    alike: dict[str, list[str]] = {}
    for name, one in trial.estimands.items():
        alike.setdefault(_sentence(one), []).append(name)
    found = [] if trial.estimand is None else [f"the scenario: {_sentence(trial.estimand)}"]
    found += [f"{', '.join(names)}: {text}" for text, names in alike.items()]
    lines = [line for text in found for line in wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")]
    return ["", HEAD, *lines]


def _sentence(one: dict[str, Any]) -> str:
    """The five attributes."""
    events = "; ".join(
        f"{event['event']}: {event['strategy']}" + (f" ({event['words']})" if event["words"] else "")
        for event in one["intercurrent_events"]
    )
    return clean(f"{one['variable']}; {one['summary']}; in {one['population']}; {one['treatment']}; {events}.")
