"""What the page shows, to be taken away: as a scenario, as a command, as Python. Each gives the same numbers."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from simulator.explorer.controls import Panel

HEAD = "# Made by als-sim explore from {source}. Moved: {moved}\n# Run it with: als-sim run FILE --seed {seed}\n"


def as_yaml(panel: Panel, moved: Mapping[str, Any], seed: int) -> str:
    """The complete scenario, with as many patients as are shown; it loads again to an equal one."""
    settings = panel.settings(moved)
    words = ", ".join(f"{address} = {_number(value)}" for address, value in settings.items()) or "nothing"
    head = HEAD.format(source=panel.scenario.source_file, moved=words, seed=seed)
    return head + panel.changed(moved).replace({"patients": panel.patients(moved)}).resolved_yaml()


def as_command(panel: Panel, moved: Mapping[str, Any], seed: int, source: str) -> str:
    """A command line; `source` is the scenario as a command names it."""
    words = ["als-sim", "run", source, "-n", str(panel.patients(moved)), "--seed", str(seed)]
    for address, value in panel.settings(moved).items():
        words += ["--set", f"{address}={_number(value)}"]
    return shlex.join(words)


def as_python(panel: Panel, moved: Mapping[str, Any], seed: int, source: str) -> str:
    """A few lines of Python."""
    settings = panel.settings(moved)
    lines = ["import simulator as sim", "", f"scenario = sim.load({_text(source)})"]
    if settings:
        changed = [
            f"        {json.dumps(key, ensure_ascii=False)}: {_number(value)}," for key, value in settings.items()
        ]
        lines += ["scenario = scenario.replace(", "    {", *changed, "    }", ")"]
    lines += [f"result = sim.simulate(scenario, patients={panel.patients(moved)}, seed={seed})", "result"]
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    """A number that reads back as it is."""
    return repr(value)


def _text(text: str) -> str:
    """A text in quotes, as Python and JSON write it."""
    return json.dumps(text, ensure_ascii=False)
