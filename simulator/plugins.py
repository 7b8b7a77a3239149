"""Plug-ins: installed packages that add a mechanism, a model, an analysis, a measure, a picture or a kind of study.

A package names a module under the entry-point group `als_simulator`; importing that module registers what it has. The
modules are imported once, when the first scenario is read or the first analysis is looked up.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from simulator.errors import SimulatorError

GROUP = "als_simulator"


@cache
def load() -> tuple[str, ...]:
    """Import the plug-ins that are installed, once.

    Returns
    -------
    tuple of str
        Their names.

    Raises
    ------
    SimulatorError
        One cannot be imported; the message says which, and why.
    """
    found = entry_points(group=GROUP)
    for one in found:
        try:
            one.load()
        except Exception as error:
            raise SimulatorError(
                f"the plug-in {one.name} ({one.value}) cannot be loaded: {error}. Correct or uninstall it"
            ) from error
    return tuple(one.name for one in found)
