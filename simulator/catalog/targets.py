"""Which simulated figure stands beside which published one."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from pydantic import Field

from simulator.catalog.claims import read_list, read_yaml
from simulator.catalog.facts import Fact, Point, Row, facts, points
from simulator.units import DAYS_PER_WEEK

Scale = Literal["plain", "ratio", "percent_lower", "percent_change"]


class Run(Row):
    """A simulation that targets read: a bundled scenario, values set in it, and how many patients."""

    scenario: str
    patients: int
    set: dict[str, Any] = Field(default_factory=dict)


class Target(Row):
    """One figure to simulate: run, who, arm (minus or over `against`), time, statistic and estimand.

    `level` is that of a quantile, `of` the group or variant that a comparison within an arm is about.
    `id` is a fact (`VAL-14`; `NH-04/sd` for its SD), a point of a curve, or the label of a claim's figure.
    """

    id: str
    run: str = "valor"
    group: str = ""
    arm: str = ""
    against: str = ""
    week: float = 0.0
    statistic: str
    endpoint: str = ""
    estimand: Literal["as_if_alive", "while_alive"] = "while_alive"
    level: float = 0.5
    of: str = ""
    scale: Scale | None = None
    factor: float = 1.0
    n: float | None = None
    se: float | Literal["design"] | None = None
    interval_of: str | None = None
    reading: str = ""

    @property
    def day(self) -> float:
        """Days since baseline."""
        return self.week * DAYS_PER_WEEK


class Conflict(Row):
    """A known misfit of model and publications, with what is published and the figures that show it."""

    title: str
    published: str
    rows: tuple[str, ...] = ()
    figures: tuple[Target, ...] = ()
    not_simulated: str = ""

    def explains(self, key: str) -> bool:
        """Whether it explains the misfit of a target."""
        return key.startswith(self.rows) if self.rows else False


class Targets(Row):
    """Everything that is simulated beside the evidence."""

    runs: dict[str, Run]
    enrolled: dict[str, dict[str, float]]
    targets: dict[str, Target]
    not_simulated: dict[str, str] = Field(description="reason by id of the fact")
    claims: dict[str, tuple[Target, ...]]
    conflicts: tuple[Conflict, ...]


CURVES: dict[str, dict[str, Any]] = {
    "alsfrs_r_change": {"statistic": "mean_change", "endpoint": "alsfrs_r", "estimand": "as_if_alive"},
    "event_free_share": {"statistic": "event_free", "reading": "death or PAV only; published with withdrawal"},
    "nfl_plasma_ratio": {"statistic": "ratio_to_baseline", "endpoint": "nfl_plasma"},
    "sod1_csf_ratio": {"statistic": "ratio_to_baseline", "endpoint": "sod1_csf"},
}
"""How the points of a curve are simulated."""


def _of_point(point: Point) -> Target:
    """The target of a point of a curve; week 2 needs the finer grid of `valor_weeks`."""
    run = "valor" if point.week % 4 == 0 or point.endpoint == "event_free_share" else "valor_weeks"
    group = "" if point.stratum == "all" else point.stratum
    return Target(id=point.id, run=run, group=group, arm=point.arm, week=point.week, **CURVES[point.endpoint])


def _figures(rows: list[dict[str, Any]]) -> tuple[Target, ...]:
    return tuple(Target(**{"id" if key == "label" else key: value for key, value in row.items()}) for row in rows)


@cache
def targets() -> Targets:
    """The targets of facts and curves, the figures of claims and of known conflicts."""
    data = read_yaml("targets.yaml")
    conflicts: list[dict[str, Any]] = read_list("conflicts.yaml")
    of_facts = {key: Target(id=key, **row) for key, row in data["targets"].items()}
    return Targets(
        runs=data["runs"],
        enrolled=data["enrolled"],
        targets=of_facts | {key: _of_point(point) for key, point in points().items()},
        not_simulated={key: reason for reason, keys in data["not_simulated"].items() for key in keys},
        claims={key: _figures(rows) for key, rows in data["claims"].items()},
        conflicts=tuple(Conflict(**(row | {"figures": _figures(row.get("figures", []))})) for row in conflicts),
    )


def published(key: str) -> Fact | Point:
    """The row that a target stands beside; `NH-04/sd` belongs to NH-04."""
    return points()[key] if key in points() else facts()[key.partition("/")[0]]
