"""What twins would take, before they are looked for: people, memory, time; and the folder they go to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.datasets import Dataset
from simulator.datasets.tidy import as_lines
from simulator.engine.compiling import cores
from simulator.run import SEED
from simulator.studies.twins.matching import Matcher, match_all
from simulator.studies.twins.pool import fill
from simulator.studies.twins.study import LEAST_POOL, TwinsOptions, arguments_of, begin, bytes_of, folder_named, size_of

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

TRIED = 8
"""Participants who are matched to learn how long one takes."""


class TwinsPlan(NamedTuple):
    """What twins would take.

    `set_aside`: participants whom their data rule out; `seconds` was measured on few people.
    """

    scenario: str
    title: str
    data: str
    participants: int
    set_aside: int
    days: tuple[str, ...]
    twins: int
    pool: int
    draws: int
    arms: tuple[str, ...]
    memory_mb: int
    seconds: float
    folder: str


def plan(
    data: Dataset | str | Path | Sequence[str | Path],
    scenario: Scenario,
    asked: TwinsOptions,
    *,
    seed: int | None = None,
    threads: int | None = None,
) -> TwinsPlan:
    """What `twins` would take; a few people are simulated and matched, and nothing is kept."""
    seed, threads = SEED if seed is None else seed, cores() if threads is None else threads
    begun = begin(data, scenario, asked)
    people, pool = begun.people, size_of(asked) * max(asked.draws, 1)
    there = [k for k, case in enumerate(people.cases) if not case.reason]
    how: Any = {"threads": threads, "progress": None}
    parts = []
    for _ in range(2):  # the second has compiled code
        start = time.perf_counter()
        few = fill([begun.base], people, asked.outcome, range(LEAST_POOL), seed=seed, **how)
        parts.append(time.perf_counter() - start)
    start = time.perf_counter()
    match_all(Matcher(few, begun.base, people), there[:TRIED], asked.twins, seed, **how)
    each = (time.perf_counter() - start) / len(there[:TRIED])
    lines = as_lines(begun.data)["measurements"]
    return TwinsPlan(
        scenario.source_file, scenario.title, begun.data.name, len(people.cases), len(people.cases) - len(there),
        tuple(f"{day:g}" for day in people.days), asked.twins, pool, asked.draws, tuple(scenario.arms),
        bytes_of(begun.base, people, asked) >> 20, float(f"{(parts[-1] + each * len(there)) * pool / LEAST_POOL:.2g}"),
        str(folder_named(scenario.name, scenario.sha256, "".join(lines), arguments_of(asked, seed))),
    )  # fmt: skip
