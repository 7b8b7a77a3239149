"""How much work one point is, and how much memory a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.engine import batches
from simulator.program import compile_program

if TYPE_CHECKING:
    from simulator.studies.sweep.assembling import Planned

PER_CELL, PER_STAGE_CELL = 8 * 34, 8 * 2 * 19
"""Bytes of a sweep by point, replicate, arm and day: estimates with their errors, and stages."""


def arm_days(plan: Planned) -> float:
    """Patients × arms × days of one point, its replicates together."""
    job = plan.job
    return float(job.patients * job.replicates * len(plan.base.arms) * plan.base.follow_up_days)


def memory_of(plan: Planned, number: int) -> int:
    """Bytes that the sweep takes at most on this machine: its Dataset, and the space of so many workers."""
    from simulator.run import SUMMED

    program = compile_program(plan.base, SUMMED, plan.job.patients, False)
    sizes = program.sizes._replace(bins=0)
    cells = len(plan.design.points) * plan.job.replicates * sizes.arms * sizes.times
    per_cell = PER_CELL + (PER_STAGE_CELL if program.calendar.staged else 0)
    return 2 * cells * per_cell + batches.memory(sizes, False, number)


def check_size(plan: Planned, number: int) -> None:
    """Refuse a sweep that would not fit.

    Raises
    ------
    ResourceError
        With the number, and how to make it smaller.
    """
    from simulator.run import check_memory

    remedy = "Ask for fewer points, a larger output.every_days, or output.stages false"
    check_memory(memory_of(plan, number), "the sweep needs", remedy)
