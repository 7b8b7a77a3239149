"""What a point is called: a hash over all that its numbers depend on, and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulator.execution.encoding import FORMAT
from simulator.language.scenario import Scenario
from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.studies.sweep.work import Job

ASIDE = frozenset({"schema_version", "title", "context_of_use", "patients", "sweep", "sensitivity", "decision"})
"""Sections that no run reads; the number of patients is the job's."""
MOST = 100_000
_text = json.JSONEncoder(sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


class Digester:
    """Hashes of scenarios that share most of their sections: a section that was met before is not written out again."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, Any]] = {}

    def key(self, scenario: Scenario, job: Job, words: range) -> str:
        """The name of a point: 32 hexadecimal digits over resolved scenario, patients, random numbers and engine."""
        sections = {name: self._section(getattr(scenario, name)) for name in Scenario.model_fields if name not in ASIDE}
        return digest([FORMAT, __version__, job.patients, job.seed, [words.start, len(words)], sections])

    def _section(self, node: Any) -> Any:
        """What stands for a part of the scenario in the hash."""
        if node is None or isinstance(node, (int, float, str)):
            return node
        kept = self._known.get(id(node))
        if kept is None or kept[0] is not node:
            if len(self._known) > MOST:
                self._known.clear()
            kept = self._known[id(node)] = (node, self._content(node))
        return kept[1]

    def _content(self, node: Any) -> Any:
        """A mapping or a list with what stands for its parts; of a section the hash over them."""
        if isinstance(node, dict):
            return [[name, self._section(part)] for name, part in node.items()]
        if isinstance(node, (list, tuple)):
            return [self._section(part) for part in node]
        parts = ((name, self._section(getattr(node, name))) for name in type(node).model_fields)
        return digest({name: part for name, part in parts if part is not None})


def digest(data: Any) -> str:
    """32 hexadecimal digits of plain data."""
    return hashlib.sha256(_text(data).encode()).hexdigest()[:32]


def of_settings(base: str, settings: Mapping[str, Any], job: Job) -> str:
    """The name of a point that is no valid scenario: over what was asked for."""
    return digest(["invalid", __version__, base, dict(settings), job.patients, job.seed])
