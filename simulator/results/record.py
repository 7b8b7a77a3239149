"""What a run hands over: bare arrays with their names, before they get units and labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


class SumsLike(Protocol):
    """The streaming sums of the engine; integers, so that no order of adding matters.

    `a` arms, `t` times, `v` the rows of `SUMMARISED` in order, `b` bins (rows with fewer bins leave the rest at 0).
    """

    alive: NDArray[np.int64]  # (a, t) not dead at that day
    event_free: NDArray[np.int64]  # (a, t)
    total: NDArray[np.int64]  # (a, t, v) sum over the alive of round(x * scale)
    square: NDArray[np.int64]  # (a, t, v) sum over the alive of round(x * x * square_scale)
    counts: NDArray[np.integer[Any]]  # (a, t, v, b) histogram over the alive, ends clipped
    stages: NDArray[np.int64] | None  # (a, t, 3, 6) the living by King's, MiToS and FT9 stage; None without items
    ended: NDArray[np.int64]  # (a, 3) no event, death, PAV by end of follow-up
    restricted: NDArray[np.int64]  # (a,) sum of round(event_free_time * restricted_scale), days
    restricted_square: NDArray[np.int64]  # (a,) sum of round(event_free_time**2 * restricted_square_scale)
    n_patients: int
    scale: NDArray[np.float64]  # (v,)
    square_scale: NDArray[np.float64]  # (v,)
    low: NDArray[np.float64]  # (v,)
    width: NDArray[np.float64]  # (v,)
    restricted_scale: float
    restricted_square_scale: float
    serious: NDArray[np.int64] | None  # (a, t) first serious adverse events since the time before; None: not modelled


@dataclass(frozen=True)
class Safety:
    """Adverse events and who was watched when: made when asked for. `kinds` are the names behind the codes."""

    kinds: tuple[str, ...]
    events: Callable[[], Arrays]
    monitoring: Callable[[], Arrays]


@dataclass(frozen=True)
class Record:
    """One run: arms, patients, times, and the arrays of each group (empty dicts in summary mode).

    `time` and `visit_days` are days since baseline. In `screening`: `candidates` (int) and `rejected`, a list of
    (stratum or "all", rule, count).
    """

    title: str
    seed: int
    arms: tuple[str, ...]
    variants: tuple[str, ...]
    strata: tuple[str, ...]
    time: NDArray[np.float64]
    visit_days: NDArray[np.float64]
    n_patients: int
    follow_up_days: float
    patients: Arrays
    events: Arrays
    truth: Arrays
    observed: Arrays
    doses: Arrays
    sums: SumsLike
    safety: Safety | None = None
    outputs: frozenset[str] | None = None  # what can be seen of the truth; None: all there is
    screening: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def has(self, name: str) -> bool:
        """Whether the model has this variable of the truth."""
        return self.outputs is None or name in self.outputs


@dataclass(frozen=True)
class Provenance:
    """Where a result comes from. `arguments` holds only what the numbers depend on: threads are not in it."""

    scenario: str  # the resolved scenario, YAML
    scenario_sha256: str
    engine_version: str
    name: str = "scenario"  # short name, for the folder
    output: str = "full"
    versions: dict[str, str] = field(default_factory=dict)
    citations: tuple[str, ...] = ()
    analysis_days: tuple[float, ...] = ()
    named_days: tuple[float, ...] = ()  # that the scenario asks about; none: whole years are shown
    control: str = ""  # the arm that others are set against; empty: the first
    contrasts: tuple[tuple[str, str], ...] = ()  # pairs of arms; none: each against the control
    arguments: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()  # about the scenario; those about the run are the record's
