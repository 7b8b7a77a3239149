"""What a worker does, in a thread, a process or on another machine: some points, from settings to bytes.

A point of three arms and two years takes 17 kB: the sums of a run in summary mode, without its histograms, with a
leading dimension `replicate`. They are integers, so equal points have equal bytes wherever they were computed.

A worker keeps the scenario, the compiled pieces that did not change, its working space and, where they did not change,
the recruited people from one point to the next.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.engine import batches
from simulator.engine.random import make_key
from simulator.errors import SimulatorError
from simulator.execution.encoding import pack
from simulator.execution.store import Done
from simulator.language.document import Document
from simulator.language.faults import Origin
from simulator.language.loading import build
from simulator.language.template import Template
from simulator.program import Program, compile_program
from simulator.program.memory import Memory
from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.engine.sums import Sums

WORDS = 12  # bits of the replicate's word that count replicates where every point has random numbers of its own
_KEPT = threading.local()
HEADS, MOMENTS, STAGES, ENDED, RESTRICTED = "heads", "moments", "stages", "ended", "restricted"
SERIOUS = "serious"


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


class Ready(NamedTuple):
    """A point that has become numbers."""

    task: Task
    about: dict[str, Any]
    program: Program


def do_points(job: Job, tasks: Sequence[Task]) -> list[Done]:
    """Simulate some points; what goes wrong with one is noted and does not touch the others.

    All of them are compiled, then simulated, then packed: the small steps of many points are twice as fast one after
    another as between two simulations, which leave nothing of them in the processor's cache.
    """
    found: dict[int, Any] = {task.number: _tried(task, partial(_ready, job, task)) for task in tasks}
    steps: tuple[Callable[..., Any], ...] = (_lived, _packed)
    for step in steps:
        for task in tasks:
            before = found[task.number]
            if not isinstance(before, Done):
                found[task.number] = _tried(task, partial(step, job, before))
    return [found[task.number] for task in tasks]


def _tried(task: Task, do: Callable[[], Any]) -> Any:
    """What a step gives, or the point as failed."""
    try:
        return do()
    except SimulatorError as error:
        return failed(task, str(error))
    except Exception as error:  # a fault of the program must not take the other points with it
        return failed(task, f"{type(error).__name__}: {error}")


def failed(task: Task, message: str) -> Done:
    """A point that could not be simulated."""
    return Done(task.number, task.key, pack(_head(task) | {"message": message}, {}), message)


def _head(task: Task) -> dict[str, Any]:
    return {"engine_version": __version__, "key": task.key, "settings": task.settings}


@lru_cache(maxsize=2)
def template_of(content: str, name: str) -> Template:
    """The scenario of a job, made once in each process."""
    return Template(build(json.loads(content), Document(None, Origin(name, {}, {}), [], [])))


def _ready(job: Job, task: Task) -> Ready:
    """The point's scenario as numbers, without bins: its sums will say nothing of quantiles."""
    from simulator.run import SUMMED

    if job.version != __version__:
        raise SimulatorError(f"the worker has version {__version__}, not {job.version}. Install the same everywhere")
    if getattr(_KEPT, "job", None) != job[:2]:
        _KEPT.job, _KEPT.memory = job[:2], Memory()
    scenario = template_of(job.scenario, job.name).replace(task.settings, checked=True)
    program = compile_program(scenario, SUMMED, job.patients, False, _KEPT.memory)
    words = job.words(task.number)
    about = {
        **_head(task),
        "arms": list(scenario.arms),
        "outputs": sorted(program.outputs),
        "follow_up_days": scenario.follow_up_days,
        "patients": job.patients,
        "seed": job.seed,
        "replicates": [words.start, len(words)],
    }
    return Ready(task, about, program._replace(sizes=program.sizes._replace(bins=0)))


def _lived(job: Job, ready: Ready) -> tuple[Ready, list[Sums]]:
    """The sums of every replicate."""
    return ready, [_run(ready, job.seed, word) for word in job.words(ready.task.number)]


def _packed(job: Job, lived: tuple[Ready, list[Sums]]) -> Done:
    """The point's file."""
    (task, about, program), every = lived
    found = {
        HEADS: np.array([one.heads for one in every], np.int32),
        MOMENTS: np.array([one.moments for one in every]),
        ENDED: np.array([one.ended for one in every], np.int32),
        RESTRICTED: np.array([one.restricted for one in every]),
        "time": program.calendar.day,
    }
    if program.calendar.staged:
        found[STAGES] = np.array([one.stages for one in every], np.int32)
    if program.arms.reactions.size:
        found[SERIOUS] = np.array([one.serious for one in every], np.int32)
    return Done(task.number, task.key, pack(about, found), "")


def _run(ready: Ready, seed: int, word: int) -> Sums:
    """The sums of one run in this thread, as `simulate` makes them in summary mode.

    Raises
    ------
    SimulatorError
        Nobody is eligible for a stratum, or numbers were lost.
    """
    from simulator.run import check_finite, do_range, nobody

    program, sizes = ready.program, ready.program.sizes
    pool = batches.make_pool(sizes, 1)
    full = batches.make_full(sizes, False)
    key = make_key(seed, word)
    with np.errstate(over="ignore"):  # plain Python mode; compiled code does not look
        stratum = do_range(program, key, full, pool[0], range(sizes.patients))
    if stratum >= 0:
        raise SimulatorError(nobody(program, stratum, pool[0].search, key))
    check_finite(program, [pool[0].totals], ready.about["arms"])
    batches.keep(sizes, pool)
    return pool[0].totals
