"""Which versions of the program and its libraries began a study, and what is said where others go on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.record import versions
from simulator.results.files import read_json
from simulator.results.folder import MANIFEST, begin_folder
from simulator.results.kinds import Kind
from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.language import Scenario


def other_versions(stored: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What of the program and the libraries that compute the numbers has another version than it had."""
    pairs = [("engine", stored.get("engine_version"), now.get("engine_version"))]
    before, after = stored.get("versions", {}), now.get("versions", {})
    pairs += [(name, before[name], after[name]) for name in before if name in after]
    return [f"{name} was {old} and is now {new}" for name, old, new in pairs if old != new]


def begin(folder: Path, kind: Kind, scenario: Scenario) -> None:
    """Mark an empty folder as that of a study whose parts are kept, so that a later start knows who began it."""
    if not (folder / MANIFEST).exists():
        about = {"engine_version": __version__, "versions": versions()}
        begin_folder(folder, kind, {"scenario_sha256": scenario.sha256, "title": scenario.title, **about})


def resumed_versions(folder: Path) -> list[str]:
    """What must be said before a study goes on in a folder that other versions began; nothing otherwise."""
    manifest = read_json(folder / MANIFEST)
    others = other_versions(manifest, {"engine_version": __version__, "versions": versions()})
    if not manifest or not others:
        return []
    what = "parts of another engine are simulated again, parts of other libraries are taken as they are"
    return [f"{folder} was begun with other versions ({', '.join(others)}): {what}."]
