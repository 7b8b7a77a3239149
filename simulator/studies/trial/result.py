"""The result of a trial that was run many times: groups of named arrays, like those of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.accessors import Accessor
from simulator.analysis.trial.registry import analysis
from simulator.record import versions
from simulator.results.arrays import Group, Groups, Named, names_of
from simulator.results.tree import dataset
from simulator.studies.trial.replicates import COUNTED, ESTIMATED, Block
from simulator.version import __version__

if TYPE_CHECKING:
    import xarray

    from simulator.language.scenario import Scenario
    from simulator.studies.trial.blocks import Work

FORMAT = "als-simulator trial 1"
SIDES = ("experimental", "control")
CELLS = ("replicate", "analysis", "analysis_day")
WORDS = {
    "value": "estimate, experimental against control",
    "se": "standard error",
    "df": "degrees of freedom of t, infinite for the normal distribution",
    "lower": "lower limit of the 95 % interval",
    "upper": "upper limit of the 95 % interval",
    "p": "two-sided p",
    "n": "participants behind the estimate",
    "participants": "participants of the arm",
    "events": "participants with the event by the day of analysis",
    "left": "participants who left before the event and the day of analysis",
    "missing": "participants without the event who were not measured at the last visit",
    "followed_days": "mean days to event, leaving or analysis",
}


class Parts(NamedTuple):
    """What a study computed."""

    estimates: Block


class Trial:
    """What a trial finds when it is run many times.

    `groups` maps a group to its named arrays; `attrs` says what was run.
    """

    plot = Accessor("trial_plot")

    def __init__(self, attrs: dict[str, Any], groups: Groups) -> None:
        self.attrs, self.groups = attrs, groups

    @property
    def title(self) -> str:
        """Title of the scenario."""
        return str(self.attrs["title"])

    @property
    def seed(self) -> int:
        """Seed of the random numbers."""
        return int(self.attrs["seed"])

    @property
    def analyses(self) -> tuple[str, ...]:
        """Names of the analyses."""
        return tuple(str(name) for name in self.groups["estimates"]["analysis"].values)

    @property
    def days(self) -> tuple[float, ...]:
        """Days of analysis."""
        return tuple(self.groups["estimates"]["analysis_day"].values.tolist())

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return len(self.groups["estimates"]["replicate"].values)

    @property
    def size(self) -> int:
        """Participants enrolled in each."""
        return int(self.attrs["size"])

    @cached_property
    def data(self) -> xarray.DataTree:
        """The whole result as an `xarray.DataTree`."""
        import xarray

        root = {"/": xarray.Dataset(attrs=self.attrs)}
        return xarray.DataTree.from_dict(root | {f"/{name}": dataset(group) for name, group in self.groups.items()})

    def estimates(self, analysis: str, day: float | None = None) -> dict[str, np.ndarray]:
        """The estimates of an analysis on a day, the first by default, (replicate,): value, se, lower, upper, p, n."""
        if analysis not in self.analyses:
            raise KeyError(f"no analysis {analysis!r}; there are {', '.join(self.analyses)}")
        a, d = self.analyses.index(analysis), 0 if day is None else self.days.index(day)
        return {name: self.groups["estimates"][name].values[:, a, d] for name in ESTIMATED}

    def __repr__(self) -> str:
        return (
            f"<Trial {self.title!r}: {self.replicates:,} replicates of {self.size:,} participants, "
            f"{', '.join(self.analyses)}, seed {self.seed}>"
        )


def make_trial(scenario: Scenario, work: Work, parts: Parts) -> Trial:
    """Names, units and provenance for what was computed."""
    groups = {"estimates": estimates_group(work, parts.estimates), "counts": counts_group(work, parts.estimates)}
    return Trial(_attributes(scenario, work), groups)


def estimates_group(work: Work, found: Block) -> Group:
    """The estimates, with what each analysis estimates."""
    scales = [_scale(name) for name in work.plan.analyses]
    columns = {name: Named(CELLS, found.estimates[..., k], _attrs(name)) for k, name in enumerate(ESTIMATED)}
    log = Named(("analysis",), np.array(scales, np.int8), {"units": "1", "long_name": "1: a logarithm is estimated"})
    return {**_coordinates(work, ("replicate", "analysis", "analysis_day")), "logarithm": log, **columns}


def counts_group(work: Work, found: Block) -> Group:
    """Who took part, had the event, left, was not measured."""
    dims = ("replicate", "analysis_day", "side")
    columns = {name: Named(dims, found.counts[..., k], _attrs(name)) for k, name in enumerate(COUNTED)}
    return {**_coordinates(work, dims), **columns}


def _attrs(name: str) -> dict[str, Any]:
    return {"units": "d" if name == "followed_days" else "1", "long_name": WORDS[name]}


def _scale(name: str) -> bool:
    return analysis(name).scale == "log"


def _coordinates(work: Work, dims: tuple[str, ...]) -> Group:
    values: dict[str, Callable[[], Any]] = {
        "replicate": lambda: np.arange(work.replicates, dtype=np.int32),
        "analysis": lambda: names_of(work.plan.analyses),
        "analysis_day": lambda: np.array(work.plan.days, np.float64),
        "side": lambda: names_of(SIDES),
    }
    units = {"analysis_day": "d"}
    return {
        dim: Named((dim,), values[dim](), {"units": units.get(dim, "1"), "long_name": dim.replace("_", " ")})
        for dim in dims
    }


def _attributes(scenario: Scenario, work: Work) -> dict[str, Any]:
    plan = work.plan
    arguments = {
        "replicates": work.replicates,
        "seed": work.seed,
        "analyses": plan.analyses,
        "size": plan.size,
        "arms": plan.arms,
        "days": plan.days,
        "options": plan.options,
        "outcome": plan.outcome,
        "endpoint": plan.endpoint,
    }
    return {
        "format": FORMAT,
        "Conventions": "CF-1.11",
        "title": scenario.title,
        "seed": np.uint64(work.seed),
        "size": np.int64(plan.size),
        "experimental": plan.arms.experimental,
        "control": plan.arms.control,
        "scenario_name": scenario.name,
        "scenario_sha256": scenario.sha256,
        "scenario": scenario.resolved_yaml(),
        "engine_version": __version__,
        "versions": json.dumps(versions(), sort_keys=True),
        "citations": json.dumps(list(scenario.citations()), ensure_ascii=False),
        "arguments": json.dumps(arguments, sort_keys=True, default=list),
    }
