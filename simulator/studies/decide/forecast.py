"""What a decision would take, before it runs: runs, memory, time; and the folder it goes to."""

from __future__ import annotations

import time
from typing import NamedTuple

from simulator.engine.compiling import cores
from simulator.measures.economics import decision_of, economic_all
from simulator.run import memory, simulate
from simulator.studies.decide.drawing import draws_of
from simulator.studies.decide.study import ONE_WAY_REPLICATES, Request, folder_of, moved, part_of


class Plans(NamedTuple):
    """What would be run: patients of the base case, runs of draws and of one-way differences, patients in each.

    `scenarios` are those that are simulated again; `seconds` was measured on one run of a draw.
    """

    scenario: str
    title: str
    options: tuple[str, ...]
    patients: int
    scenarios: int
    draws: int
    uncertain: int
    runs: int
    draw_patients: int
    executor: str
    memory_mb: int
    seconds: float
    folder: str


def plan_of(asked: Request) -> Plans:
    """What would be run; one run of a draw is simulated, and nothing is kept."""
    drawn, part = draws_of(asked.scenario, asked.draws, asked.seed), part_of(asked.scenario)
    block, patients, number = decision_of(part), asked.arguments["patients"], cores()
    runs = asked.draws * asked.replicates + (2 * len(moved(part)) + 1) * ONE_WAY_REPLICATES
    again = [one for one in (block.scenarios or {}).values() if not all(at.startswith("decision.") for at in one)]
    whole = memory(part, patients=patients), number * memory(part, patients=asked.draw_patients, threads=1)
    seconds = _seconds(asked) * (runs + (1 + len(again)) * patients / asked.draw_patients) / number
    name = asked.executor if isinstance(asked.executor, str) else type(asked.executor).__name__
    return Plans(
        asked.scenario.source_file, asked.scenario.title, tuple(block.options), patients, len(again), asked.draws,
        len(drawn.uncertain), runs, asked.draw_patients, name, max(whole) >> 20, seconds,
        str(asked.folder or folder_of(asked)),
    )  # fmt: skip


def _seconds(asked: Request) -> float:
    """Seconds of one run of a draw on one core: the second of two, when compiled code is ready."""
    part, taken = part_of(asked.scenario), 0.0
    for _ in range(2):
        start = time.perf_counter()
        result = simulate(part, patients=asked.draw_patients, seed=asked.seed, threads=1)
        for arm in decision_of(part).options:
            economic_all(result, arm, part)
        taken = time.perf_counter() - start
    return taken
