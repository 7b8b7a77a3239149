"""What a worker does, in a thread, a process or on another machine: some points, from settings to bytes.

A worker keeps the scenario, the compiled pieces that did not change, its working space and, where they did not change,
the recruited people from one point to the next.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.engine import batches
from simulator.engine.random import make_key
from simulator.errors import SimulatorError
from simulator.language.document import Document
from simulator.language.faults import Origin
from simulator.language.loading import build
from simulator.language.template import Template
from simulator.program import Program, compile_program
from simulator.program.memory import Memory
from simulator.studies.sweep import packing
from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.engine.sums import Sums
    from simulator.language.scenario import Scenario

WORDS = 12  # bits of the replicate's word that count replicates where every point has random numbers of its own
_KEPT = threading.local()


class Job(NamedTuple):
    """What all points share. `scenario` is the content of the resolved scenario as JSON, `name` that of its file."""

    scenario: str
    name: str
    patients: int
    seed: int
    replicates: int
    independent: bool
    version: str = __version__

    def words(self, number: int) -> range:
        """The replicates, words of the random key, that point `number` is simulated with."""
        first = number << WORDS if self.independent else 0
        return range(first, first + self.replicates)


class Task(NamedTuple):
    """One point: its number in the sweep, the name of its file and what it sets."""

    number: int
    key: str
    settings: dict[str, Any]


class Done(NamedTuple):
    """A point that was tried: its file's name and content, and why it failed, if it did."""

    number: int
    key: str
    content: bytes
    message: str


def do_points(job: Job, tasks: Sequence[Task]) -> list[Done]:
    """Simulate some points one after another; what goes wrong with one is noted and does not touch the others."""
    return [do_point(job, task) for task in tasks]


def do_point(job: Job, task: Task) -> Done:
    """Simulate one point."""
    header = {"engine_version": __version__, "key": task.key, "settings": task.settings}
    if job.version != __version__:
        return failed(task, f"the worker has version {__version__}, not {job.version}. Install the same everywhere")
    try:
        scenario = template_of(job.scenario, job.name).replace(task.settings)
        content = packing.pack(header | _about(scenario, job, task.number), _summed(scenario, job, task.number))
        return Done(task.number, task.key, content, "")
    except SimulatorError as error:
        return failed(task, str(error))
    except Exception as error:  # a fault of the program must not take the other points with it
        return failed(task, f"{type(error).__name__}: {error}")


def failed(task: Task, message: str) -> Done:
    """A point that could not be simulated."""
    header = {"engine_version": __version__, "key": task.key, "settings": task.settings, "message": message}
    return Done(task.number, task.key, packing.pack(header, {}), message)


@lru_cache(maxsize=2)
def template_of(content: str, name: str) -> Template:
    """The scenario of a job, made once in each process."""
    return Template(build(json.loads(content), Document(None, Origin(name, {}, {}), [], [])))


def _about(scenario: Scenario, job: Job, number: int) -> dict[str, Any]:
    """What the sums mean."""
    words = job.words(number)
    return {
        "arms": list(scenario.arms),
        "follow_up_days": scenario.follow_up_days,
        "patients": job.patients,
        "seed": job.seed,
        "replicates": [words.start, len(words)],
    }


def _summed(scenario: Scenario, job: Job, number: int) -> dict[str, np.ndarray]:
    """The sums of every replicate, and the days they are of."""
    from simulator.run import SUMMED

    if getattr(_KEPT, "job", None) != job[:2]:
        _KEPT.job, _KEPT.memory = job[:2], Memory()
    program = compile_program(scenario, SUMMED, job.patients, False, _KEPT.memory)
    program = program._replace(sizes=program.sizes._replace(bins=0))
    every = [_lived(program, job.seed, word) for word in job.words(number)]
    found = {
        packing.HEADS: np.stack([one.heads for one in every]).astype(np.int32),
        packing.MOMENTS: np.stack([one.moments for one in every]),
        packing.ENDED: np.stack([one.ended for one in every]).astype(np.int32),
        packing.RESTRICTED: np.stack([one.restricted for one in every]),
        "time": np.asarray(program.calendar.day, np.int32),
    }
    if program.calendar.staged:
        found[packing.STAGES] = np.stack([one.stages for one in every]).astype(np.int32)
    return found


def _lived(program: Program, seed: int, word: int) -> Sums:
    """The sums of one run in this thread, as `simulate` makes them in summary mode.

    Raises
    ------
    SimulatorError
        Nobody is eligible for a stratum.
    """
    from simulator.run import do_range, nobody

    sizes = program.sizes
    pool = batches.make_pool(sizes, 1)
    with np.errstate(over="ignore"):  # plain Python mode; compiled code does not look
        stratum = do_range(
            program, make_key(seed, word), batches.make_full(sizes, False), pool[0], range(sizes.patients)
        )
    if stratum >= 0:
        raise SimulatorError(nobody(program, stratum, pool[0].search.rejected))
    batches.keep(sizes, pool)
    return pool[0].totals
