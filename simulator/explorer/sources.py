"""What the explorer opens: a scenario file, a bundled scenario, or the scenario that a study's folder keeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.errors import SimulatorError
from simulator.language.faults import printable, suggest
from simulator.language.loading import bundled, load

if TYPE_CHECKING:
    from simulator.language import Scenario

SEED = 1


class Source(NamedTuple):
    """A scenario, the seed it is simulated with, and the word by which a command names it."""

    scenario: Scenario
    seed: int
    word: str


class SourceError(SimulatorError):
    """The page may open bundled scenarios and what it was started with, and nothing else."""

    exit_code = 2


def source(word: str, seed: int | None = None) -> Source:
    """What a command names: a scenario, or the folder of a study with its own seed.

    Raises
    ------
    ScenarioError, ResultError
        There is none, or it is faulty.
    """
    if word not in bundled() and Path(word).is_dir():
        from simulator.results.opening import open_study
        from simulator.results.study import SCENARIO

        study = open_study(word, lazily=True)
        file = str(Path(word) / SCENARIO)
        return Source(load(file), study.seed if seed is None else seed, file)
    return Source(load(word), SEED if seed is None else seed, word)


def names(first: Source) -> list[str]:
    """What the page may open."""
    return list(dict.fromkeys([first.word, *bundled()]))


def opened(word: Any, first: Source) -> Source:
    """What the page asks for by its name; nothing: what it was started with.

    Raises
    ------
    SourceError
        It is neither bundled nor what the page was started with. No file is looked for.
    """
    if word is None or word == first.word:
        return first
    if not isinstance(word, str) or word not in bundled():
        known = suggest(str(word)[:60], names(first), "There are")
        raise SourceError(f"the page does not open {printable(str(word))[:60]!r}. {known}")
    return Source(load(word), first.seed, word)
