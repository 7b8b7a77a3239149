"""The public names: typed, documented in full, and their examples run."""

from __future__ import annotations

import doctest
import importlib
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import simulator as sim
from simulator.analysis.trial.registry import ANALYSES
from simulator.mechanisms import MECHANISMS

ROOT = Path(__file__).resolve().parents[2]
SECTION = r"^{name}\n-{{3,}}\n(.*?)(?=^\w[^\n]*\n-{{3,}}$|\Z)"
SHORT = ("Twins.",)
"""Methods that have one line each so far."""
FUNCTIONS = {name: one for name in sim.__all__ if inspect.isfunction(one := getattr(sim, name))}


def methods() -> Iterator[tuple[str, Any]]:
    """Public methods of the public classes, each once, by the class that defines them."""
    found = {}
    for name in sim.__all__:
        one = getattr(sim, name)
        for key in dir(one) if inspect.isclass(one) else ():
            own = inspect.getattr_static(one, key)
            own = own.__func__ if isinstance(own, staticmethod | classmethod) else own
            if not key.startswith("_") and inspect.isfunction(own) and own.__module__.startswith("simulator."):
                found[own.__qualname__] = own
    return iter(sorted(found.items()))


def section(text: str, name: str) -> str | None:
    """What stands in a section of a numpydoc docstring."""
    found = re.search(SECTION.format(name=name), text, re.MULTILINE | re.DOTALL)
    return found[1] if found else None


def lacking(function: Any, needs_example: bool) -> list[str]:
    """What a docstring does not say: parameters by name, what is returned, an example."""
    text, signature = inspect.getdoc(function) or "", inspect.signature(function)
    heads = re.findall(r"^(\S[^:\n]*)", section(text, "Parameters") or "", re.MULTILINE)
    named = {name.strip(" *") for head in heads for name in head.split(",")}
    missing = [f"parameter {name}" for name in signature.parameters if name not in {*named, "self", "cls"}]
    if signature.return_annotation not in (None, "None") and section(text, "Returns") is None:
        missing.append("Returns")
    if needs_example and section(text, "Examples") is None:
        missing.append("Examples")
    return missing


def test_every_public_function_is_documented_in_full():
    assert len(FUNCTIONS) >= 12
    assert {name: found for name, one in FUNCTIONS.items() if (found := lacking(one, needs_example=True))} == {}


def test_every_public_method_is_documented_in_full():
    known = {name: one for name, one in methods() if not name.startswith(SHORT)}
    assert len(known) >= 50
    assert {name: found for name, one in known.items() if (found := lacking(one, needs_example=False))} == {}


def test_a_notebook_shows_whatever_a_public_function_returns():
    """All but `sim.open`, whose results are those of the others."""
    kinds = {}
    for one in FUNCTIONS.values():
        kind = one.__annotations__["return"]
        kinds[kind] = getattr(sys.modules[one.__module__], kind, None) or getattr(sim, kind)
    kinds.pop("StudyResult")
    assert len(kinds) >= 12
    assert [name for name, kind in kinds.items() if not hasattr(kind, "_repr_html_")] == []


def test_what_additions_are_built_on_is_documented_in_full():
    """Every registry's `register`, what a mechanism answers, the functions of all analyses."""
    registers = [
        importlib.import_module(name).register
        for name in (
            *("simulator.mechanisms", "simulator.models", "simulator.analysis.trial.registry"),
            *("simulator.measures.metrics", "simulator.report.plots", "simulator.results.kinds"),
        )
    ]
    answers = [
        getattr(one, name)
        for one in MECHANISMS.values()
        for name in ("without_effect", "multipliers")
        if hasattr(one, name)
    ]
    known = [*registers, *answers, *(one.run for one in ANALYSES.values())]
    assert len(known) >= 30
    assert {one.__qualname__: found for one in known if (found := lacking(one, needs_example=False))} == {}


def test_what_is_lacking_would_be_found():
    def good(a: int, *b: int) -> int:
        """Add.

        Parameters
        ----------
        a, *b : int
            Numbers.

        Returns
        -------
        int
            Their sum.
        """
        return a + sum(b)

    def bad(a: int) -> int:
        """Add."""
        return a

    assert lacking(good, needs_example=False) == []
    assert lacking(good, needs_example=True) == ["Examples"]
    assert lacking(bad, needs_example=True) == ["parameter a", "Returns", "Examples"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one = FUNCTIONS[name]
    scope = vars(importlib.import_module(one.__module__)).copy()
    (test,) = doctest.DocTestFinder(recurse=False).find(one, name, globs=scope)
    assert test.examples
    done = doctest.DocTestRunner(verbose=False).run(test)
    assert done.failed == 0


def mypy(file: str) -> str:
    """What mypy says of a file of tests/typing, with the rules of the project."""
    command = [sys.executable, "-m", "mypy", "--strict", f"tests/typing/{file}"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.slow
def test_a_users_file_is_typed():
    assert (ROOT / "simulator" / "py.typed").is_file()
    assert mypy("user.py").startswith("Success")


@pytest.mark.slow
def test_a_wrong_call_is_refused():
    lines = (ROOT / "tests" / "typing" / "misuse.py").read_text("utf-8").splitlines()
    expected = {(k, line.split("# ")[1]) for k, line in enumerate(lines, 1) if "  # [" in line}
    said = re.findall(r"misuse\.py:(\d+): error: .*(\[[\w-]+\])$", mypy("misuse.py"), re.MULTILINE)
    assert len(expected) >= 6
    assert {(int(line), code) for line, code in said} == expected
