"""The finished points of a sweep, put together with what was asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.errors import SimulatorError
from simulator.language.contrasts import contrasts, control_of
from simulator.language.template import Template
from simulator.results import netcdf
from simulator.results.kinds import SWEEP
from simulator.studies.sweep.collect import collect, parameters
from simulator.studies.sweep.result import Sweep
from simulator.version import __version__, versions

if TYPE_CHECKING:
    from simulator.execution.encoding import Packed
    from simulator.execution.store import Store
    from simulator.language import Scenario
    from simulator.language.blocks.sweep import Sweep as Block
    from simulator.studies.sweep.points import Design
    from simulator.studies.sweep.work import Job, Task

ASIDE = ("sweep", "sensitivity", "decision")
"""Blocks that say what to do with a scenario; a point has none of them."""


class Planned(NamedTuple):
    """A sweep before it runs: its points and all that they share.

    `scenario` is what was given, `text` its complete form as YAML, `base` what the points change.
    """

    scenario: Scenario
    text: str
    base: Scenario
    design: Design
    job: Job
    block: Block | None


def assembled(plan: Planned, tasks: Sequence[Task], kept: Store) -> Sweep:
    """All points, in their order, as one sweep."""
    packed = [_there(kept.get(task.key), task) for task in tasks]
    failed = [bool(one.message) for one in packed]
    group = collect(packed, plan.job.patients, plan.job.replicates)
    template, own = Template(plan.base), plan.base.numbers()
    held = {address: _held(own, address, template) for address in plan.design.addresses}
    group |= parameters(plan.design.points, plan.design.addresses, held, failed)
    failures = [
        (task.number, task.settings, one.message) for task, one in zip(tasks, packed, strict=True) if one.message
    ]
    return Sweep(_attributes(plan, failures), {netcdf.ROOT: group})


def _there(found: Packed | None, task: Task) -> Packed:
    if found is None:
        raise SimulatorError(f"point {task.number} was lost. Give the same command again")
    return found


def _held(own: Any, address: str, template: Template) -> Any:
    """The number or word that the scenario itself has at an address; None where it has something else."""
    for step in template.path(address) or ("",):
        try:
            own = own[step]
        except (LookupError, TypeError):
            return None
    return own if isinstance(own, (int, float, str)) else None


def _attributes(plan: Planned, failures: list[Any]) -> dict[str, Any]:
    """What was run, without a time, a machine or a person: the same sweep gives the same bytes."""
    block, job = plan.block, plan.job
    shown = (block.outcomes if block else None) or []
    wanted = [[one.metric, one.arm, one.against or "", one.day, one.label or ""] for one in shown]
    return {
        "format": SWEEP.format,
        "Conventions": "CF-1.11",
        "title": plan.base.title,
        "method": block.method if block else "given",
        "seed": np.uint64(job.seed),
        "n_patients": np.int64(job.patients),
        "replicates": np.int64(job.replicates),
        "random_numbers": "independent" if job.independent else "common",
        "follow_up_days": np.float64(plan.base.follow_up_days),
        "scenario_name": plan.scenario.name,
        "scenario_sha256": plan.scenario.sha256,
        "scenario": plan.text,
        "engine_version": __version__,
        "versions": json.dumps(versions(), sort_keys=True),
        "arguments": json.dumps(_arguments(plan), sort_keys=True),
        "addresses": json.dumps(list(plan.design.addresses)),
        "labels": json.dumps(plan.design.labels),
        "failures": json.dumps(failures),
        "outcomes": json.dumps(wanted),
        "control": control_of(plan.base),
        "contrasts": json.dumps(contrasts(plan.base), ensure_ascii=False),
    }


def _arguments(plan: Planned) -> dict[str, Any]:
    """What `sweep` is called with to give the same numbers again; points are named where no block has them."""
    job = plan.job
    found: dict[str, Any] = {
        "patients": job.patients,
        "seed": job.seed,
        "replicates": job.replicates,
        "random_numbers": "independent" if job.independent else "common",
    }
    return found if plan.block else found | {"parameters": [dict(one) for one in plan.design.points]}
