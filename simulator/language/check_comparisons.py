"""Checks of `trial.comparisons` against the rest of the scenario: a contradiction is refused before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

from simulator.language.check import reads
from simulator.language.contrasts import control_of
from simulator.language.faults import Path, Problem, printable

PLACE: Path = ("trial", "comparisons")


@reads("trial", "arms", "control", "follow_up_days")
def _comparisons(scenario: Any) -> Iterator[Problem]:
    """There are arms to compare, and no other rule spends the level."""
    trial = scenario.trial
    if trial is None or trial.comparisons is None:
        return
    for key in ("interim", "family"):
        if getattr(trial, key) is not None:
            fact = f"comparisons and {key} both decide how the level is spent"
            yield Problem(("trial", key), fact, f"Remove {key} or comparisons")
    arms = [arm for arm in trial.arms if arm in scenario.arms]
    others = [arm for arm in arms if arm != control_of(scenario, arms)] if arms else []
    if not others:
        yield Problem(PLACE, "the trial has one arm, nothing is compared", "Allocate people to a second arm")
    elif len(others) == 1 and trial.comparisons.stages is None:
        fact = f"there is one arm against control, {printable(others[0])}: no level is shared"
        yield Problem(PLACE, fact, "Allocate people to a third arm, or remove comparisons")
    yield from _trend(trial.comparisons, others)
    yield from _platform(trial, others)
    yield from _stages(trial, arms, others)


def _trend(comparisons: Any, others: list[str]) -> Iterator[Problem]:
    """Every arm has a dose, and nobody else."""
    trend = comparisons.trend
    if trend is not None and set(trend.doses) != set(others):
        fact = f"doses are those of {', '.join(trend.doses)}, arms against control are {', '.join(others)}"
        yield Problem((*PLACE, "trend", "doses"), fact, "Write a dose for each of these arms")


def _platform(trial: Any, others: list[str]) -> Iterator[Problem]:
    """Every regimen opens once, and people come one by one and fill it."""
    platform = trial.comparisons.platform
    if platform is None:
        return
    path = (*PLACE, "platform")
    if platform.opens is not None and set(platform.opens) != set(others):
        fact = f"regimens that open are {', '.join(platform.opens)}, arms against control are {', '.join(others)}"
        yield Problem((*path, "opens"), fact, "Write a day for each of these arms")
    if strange := [name for name in platform.apart or [] if name not in others]:
        fact = f"{printable(strange[0])} is no arm against control"
        yield Problem((*path, "apart"), fact, f"Write one of {', '.join(others)}")
    if trial.accrual_per_month is None:
        yield Problem(path, "without accrual everybody is enrolled on one day", "Add trial.accrual_per_month")
    for key in ("counts", "lead_in", "imbalance"):
        if getattr(trial, key) is not None:
            fact = f"a platform draws who enters which regimen, and {key} would say otherwise"
            yield Problem(("trial", key), fact, f"Remove {key} or platform")
    if others and trial.enrolled % len(others):
        fact = f"{trial.enrolled:,} people do not fill {len(others)} regimens alike"
        yield Problem(("trial", "size"), fact, f"Write a multiple of {len(others)}")


def _stages(trial: Any, arms: list[str], others: list[str]) -> Iterator[Problem]:
    """People reach the looks one by one, every arm has begun by the first, and rules can do what they say."""
    stages = trial.comparisons.stages
    if stages is None:
        return
    path = (*PLACE, "stages")
    if trial.accrual_per_month is None:
        fact = "without accrual everybody is enrolled on one day, and all reach the analysis together"
        yield Problem(path, fact, "Add trial.accrual_per_month")
    if trial.counts is not None:
        yield Problem(path, "exact counts leave nothing to change", "Write size and allocation instead of counts")
        return
    for arm in arms:
        first = ceil(stages.shares[0].value * trial.enrolled)
        place = trial.block.get(arm, 0) and sum(trial.block.values()) - trial.block[arm] + 1
        if first < place:
            fact = f"at the first look {first} have been analysed and {printable(arm)} may be without anybody"
            yield Problem((*path, "shares", 0), f"{fact}: it would be dropped before it began", "Look later")
    keep = stages.drop.keep_best if stages.drop else None
    if keep is not None and keep >= len(others):
        fact = f"of {len(others)} arms {keep} are kept: nothing is dropped"
        yield Problem((*path, "drop", "keep_best"), fact, "Keep fewer, or remove it")
    if trial.comparisons.test == "mams" and len({n for arm, n in trial.block.items() if arm in others}) > 1:
        fact = "the bounds of mams are for arms of one size"
        yield Problem(("trial", "allocation"), fact, "Allocate alike to all arms but control, or write test: dunnett")
