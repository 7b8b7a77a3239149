"""What is to be cited: the sources of the values behind a scenario, a result or a part of the catalog."""

from __future__ import annotations

import json
from pathlib import Path

from simulator.language import parse
from simulator.language.catalogued import look_up
from simulator.results import GroupedResult, open_study


def citations(name: str) -> list[str]:
    """The sources of a scenario or of what the catalog has under a name, without the places in them, each once."""
    found = look_up(name)
    if found.scenario is not None:
        return list(found.scenario.citations())
    return list(dict.fromkeys(value.source.partition("; ")[0] for value in found.values if value.source))


def citations_of(folder: Path) -> list[str]:
    """The sources of the values that a run, a trial, a sweep or a sensitivity analysis used."""
    study = open_study(folder)
    if isinstance(study, GroupedResult) and "citations" in study.attrs:
        cited: list[str] = json.loads(study.attrs["citations"])
        return cited
    return list(parse(study.scenario.encode("utf-8"), study.scenario_name).citations())
