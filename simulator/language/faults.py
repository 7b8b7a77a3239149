"""What is wrong with a scenario, where, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from simulator.errors import SimulatorError
from simulator.quantities import printable

Path = tuple[str | int, ...]
Mark = tuple[int, int]
ROOT_ADDRESS = "scenario"


class Fault(NamedTuple):
    """One fault: place (1-based line and column), address, what is the case, what to do."""

    file: str
    line: int
    column: int
    address: str
    fact: str
    remedy: str

    @property
    def message(self) -> str:
        """Fact and remedy without the place."""
        return f"{self.fact}. {self.remedy}"

    def __str__(self) -> str:
        file = "".join(c if c.isprintable() else "?" for c in self.file)
        return f"{file}:{self.line}:{self.column}: {self.address}: {self.message}"


class ScenarioError(SimulatorError):
    """The scenario is invalid; `errors` are all its faults in the order of the file."""

    exit_code = 2

    def __init__(self, errors: Iterable[Fault]) -> None:
        self.errors: list[Fault] = sorted(dict.fromkeys(errors), key=lambda f: (f.file, f.line, f.column, f.address))
        super().__init__("\n".join(map(str, self.errors)))


class Problem(NamedTuple):
    """A fault whose place in the file is not looked up yet."""

    path: Path
    fact: str
    remedy: str
    on_key: bool = False


class Origin(NamedTuple):
    """Where the data of a scenario came from: the file and the marks of keys and values in it."""

    file: str
    keys: Mapping[Path, Mark]
    values: Mapping[Path, Mark]

    def mark(self, path: Path, on_key: bool = False) -> Mark:
        """Place of the key or value at a path, or of its nearest ancestor that stands in the file."""
        if on_key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, (1, 1))

    def fault(self, problem: Problem) -> Fault:
        """The problem with its place."""
        line, column = self.mark(problem.path, problem.on_key)
        return Fault(self.file, line, column, address(problem.path), problem.fact, problem.remedy)


def address(path: Path) -> str:
    """The dotted path, as `Scenario.replace` takes it."""
    return ".".join(map(printable, path)) or ROOT_ADDRESS


def near(word: str, choices: Iterable[str]) -> str:
    """The choice that was probably meant, or ""."""
    return next(iter(difflib.get_close_matches(word, list(choices), n=1)), "")


def suggest(word: str, choices: Iterable[str], what: str = "Allowed") -> str:
    """The remedy for a word that is not among the choices."""
    listed = list(choices)
    meant = near(word, listed)
    if meant:
        return f"Did you mean {meant}?"
    return f"{what}: {', '.join(map(printable, listed))}" if listed else f"{what}: none"
