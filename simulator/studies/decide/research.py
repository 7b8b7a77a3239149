"""What a stated study is worth: one that reveals values, measures them with known errors, or compares two arms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis import value_of_information as value
from simulator.studies.decide.drawing import Drawn
from simulator.studies.decide.reading import More
from simulator.studies.decide.tables import Cell, Column, Table, number

if TYPE_CHECKING:
    from simulator.language.blocks.decision import Research

Floats = NDArray[np.float64]


PER_VALUE = 4
"""Draws for each uncertain value, below which regressions on them are not made."""


class Sample(NamedTuple):
    """Mean costs and QALYs a patient at the draws : (draws, options, replicates).

    `trial` : (draws, replicates, 2), what separates the two arms of the trial of `research`, and the variance of that
    difference with one person in each. `more` : what other tables are made of.
    """

    options: tuple[str, ...]
    cost: Floats
    effect: Floats
    drawn: Drawn
    trial: Floats | None = None
    more: More | None = None

    def benefit(self, threshold: float) -> Floats:
        """Net monetary benefit : (draws, options, replicates)."""
        found: Floats = threshold * self.effect - self.cost
        return found


def study(
    block: Research, sample: Sample, benefit: Floats, how: tuple[bool, int], money: str, *, told_apart: bool = True
) -> Table:
    """What a study is worth to all whom the choice concerns: at most its EVPPI, and its EVSI where it is stated.

    Where the draws cannot tell values apart only that of a trial is known, whose regression is on one number.
    """
    known = {one.name for one in sample.drawn.uncertain}
    about = block.about or [one.name for one in sample.drawn.uncertain if one.group == "drug"]
    patients, cost = block.patients.value, block.cost.amount
    rows: list[list[Cell]] = []
    for name, found in _lines(
        block, sample, benefit, how, [one for one in about if one in known], told_apart=told_apart
    ):
        worth = patients * found.value
        rows.append([name, number(found.value), number(worth), number(patients * found.se), cost, number(worth - cost)])
    columns = [Column("study"), Column("a patient", 0, money), Column(f"{patients:,.0f} patients", 0, money)]
    columns += [Column("±", 0), Column("cost", 0, money), Column("net", 0, money)]
    return Table("study", f"A study of {', '.join(about)}", columns, rows, _few(block, sample, told_apart=told_apart))


def _few(block: Research, sample: Sample, *, told_apart: bool) -> str:
    """What is not counted because the draws are too few, with the remedy."""
    count, values = len(sample.cost), len(sample.drawn.uncertain)
    lacking = [] if told_apart else [("what it is worth to know values", PER_VALUE * values)]
    lacking += [("the trial", PER_VALUE)] if block.trial is not None and count < PER_VALUE else []
    return " ".join(
        f"{count} draws are too few to count {what}: ask for {least} or more with --draws." for what, least in lacking
    )


def _lines(
    block: Research, sample: Sample, benefit: Floats, how: tuple[bool, int], about: Sequence[str], *, told_apart: bool
) -> Iterator[tuple[str, value.Partial]]:
    """Each way in which the study is stated, with its worth."""
    drawn, shared = sample.drawn, how[0]
    at = {one.name: k for k, one in enumerate(drawn.uncertain)}
    seen = [name for name in block.standard_errors if name in at]
    inside = [at[name] for name in dict.fromkeys([*about, *seen])]
    if inside and told_apart:
        perfect = value.partials(benefit, drawn.x, [inside], shared)[0]
        yield "perfect (EVPPI)", perfect
        if seen:
            stated = _sampled(block, drawn, benefit, how, seen)
            # a study tells no more than perfect knowledge of the same
            yield "as stated (EVSI)", min(stated, perfect, key=lambda one: one.value)
    if block.trial is not None and sample.trial is not None and benefit.shape[2] > 1 and len(benefit) >= PER_VALUE:
        found = _of_trial(block.trial.per_arm.value, sample.trial, benefit)
        whole = value.choice(benefit, shared).evpi
        yield f"trial, {block.trial.per_arm.value:,.0f} an arm (EVSI)", found._replace(value=min(found.value, whole))


def _sampled(
    block: Research, drawn: Drawn, benefit: Floats, how: tuple[bool, int], seen: Sequence[str]
) -> value.Partial:
    """EVSI: the best rule that chooses by what the study would measure, a value with its error at each draw."""
    at = {one.name: (k, one.sd) for k, one in enumerate(drawn.uncertain)}
    rng = np.random.default_rng([how[1], 0xE751])
    measured = np.stack(
        [drawn.x[:, at[name][0]] + block.standard_errors[name].value / at[name][1] * rng.standard_normal(len(drawn.x))
         for name in seen],
        axis=1,
    )  # fmt: skip
    return value.partials(benefit, measured, [list(range(len(seen)))], how[0])[0]


def _of_trial(per_arm: float, trial: Floats, benefit: Floats) -> value.Partial:
    """EVSI of a trial: the best rule that chooses by the difference that it would find at each draw."""
    return value.measured(benefit, trial[..., 0], float(np.sqrt(trial[..., 1].mean() / per_arm)))
