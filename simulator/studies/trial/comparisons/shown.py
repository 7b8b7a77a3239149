"""The arms of a trial as tables and sentences, for a terminal and a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.analysis.replicates import Measure
from simulator.studies.trial.html import pair, percent

if TYPE_CHECKING:
    from simulator.studies.trial.result import Trial

KEYS = ("comparisons", "comparisons_null")
NOTE = (
    "no effect: where nothing works, claims of benefit; of any arm, of harm too. unsafe: dropped for harm at a look, "
    "which claims nothing. error: claims of benefit or harm of the arms that have no effect, in the trial as it is."
)


class Arms(NamedTuple):
    """What an analysis comes to: heads and rows of tables, what is decided and found, when regimens run; sentences."""

    analysis: str
    decided: list[list[str]]
    found: list[list[str]]
    regimens: list[list[str]]
    words: list[str]


def arms_of(trial: Trial) -> Iterator[Arms]:
    """Each analysis; nothing without comparisons."""
    if "comparisons" not in trial.groups:
        return
    at, null = ({name: one.values for name, one in trial.groups.get(key, {}).items()} for key in KEYS)
    for a, name in enumerate(at["analysis"]):
        arms = [(str(arm), (a, k)) for k, arm in enumerate(at["arm"])]
        heads = ["benefit, %", "no effect, %", "futility, %", "unsafe, %"]
        error = percent(_of(null, "error", (a,))) if null else "–"
        decided = [["", *heads], *([arm, *_decided(at, null, place)] for arm, place in arms)]
        decided += [["any", percent(_of(at, "any", (a,))), error, "", ""]]
        decided += [["error", percent(_of(at, "error", (a,))), "", "", ""]] if np.isfinite(at["error"][a]) else []
        found = [["", "truth", "estimate", "people"], *([arm, *_found(at, place)] for arm, place in arms)]
        found += [["all", "", "", pair(_of(at, "participants_all", (a,)), 0)]]
        words = [*_platform(at, a), *_trend(at, null, a), *_undecided(at, arms)]
        yield Arms(str(name), decided, found, _regimens(at, arms), words)


def _decided(at: Mapping[str, Any], null: Mapping[str, Any], place: tuple[int, int]) -> list[str]:
    none = percent(_of(null, "benefit", place)) if null else "–"
    ends = (percent(_of(at, name, place)) for name in ("futility", "unsafe"))
    return [percent(_of(at, "benefit", place)), none, *ends]


def _found(at: Mapping[str, Any], place: tuple[int, int]) -> list[str]:
    truth = pair(_of(at, "truth", place), 3) if "truth" in at else "–"
    return [truth, pair(_of(at, "value", place), 3), pair(_of(at, "participants", place), 0)]


def _regimens(at: Mapping[str, Any], arms: list[tuple[str, tuple[int, int]]]) -> list[list[str]]:
    """When the regimens of a platform run, and how many controls each has; nothing without a platform."""
    if "opened" not in at:
        return []
    heads, keys = ["", "from day", "to day", "controls"], ("opened", "ended", "controls")
    return [heads, *([arm, *(pair(_of(at, key, place), 0) for key in keys)] for arm, place in arms)]


def _platform(at: Mapping[str, Any], a: int) -> Iterator[str]:
    """What a platform takes until a drug that works is claimed."""
    if "opened" not in at:
        return
    days, people, controls, there, then = (
        pair(_of(at, key, (a,)), 0)
        for key in ("found_days", "participants_all", "on_control", "participants_then", "on_control_then")
    )
    yield f"Of {people} participants {controls} are on control."
    if at["found"][a] > 0:
        yield (
            f"A regimen that has an effect is claimed in {_share(at, 'found', (a,))}, the first on day {days}. "
            f"By then, or in all where none is, {there} have been randomised, {then} to control."
        )


def _trend(at: Mapping[str, Any], null: Mapping[str, Any], a: int) -> Iterator[str]:
    """How often a trend is found, where one is looked for, with its interval: 0 has one too."""
    if np.isfinite(at["trend"][a]):
        without = f", without an effect in {_share(null, 'trend', (a,))}" if null else ""
        yield f"A trend over the doses is found in {_share(at, 'trend', (a,))}{without}."


def _undecided(at: Mapping[str, Any], arms: list[tuple[str, tuple[int, int]]]) -> Iterator[str]:
    """Of which arms nothing was decided, as there was no estimate."""
    for arm, place in arms:
        if at["undecided"][place] > 0:
            share = _share(at, "undecided", place)
            yield f"{arm} is not decided, for want of an estimate, at a look or the end in {share}."


def _share(at: Mapping[str, Any], name: str, place: tuple[int, ...]) -> str:
    value, low, high = (100 * float(at[f"{name}{suffix}"][place]) for suffix in ("", "_lower", "_upper"))
    return f"{value:.1f} % ({low:.1f} to {high:.1f} %)"


def _of(at: Mapping[str, Any], name: str, place: tuple[int, ...]) -> Measure:
    return Measure(float(at[name][place]), float(at[f"{name}_mcse"][place]))
