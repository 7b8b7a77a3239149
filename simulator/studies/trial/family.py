"""What the family of claims of a trial comes to: the power of each claim and of any, and the familywise error."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.replicates import Measure, share
from simulator.analysis.trial.multiplicity import claimed, graph
from simulator.studies.trial.decision import direction, level
from simulator.studies.trial.plan import Claim, claims_of
from simulator.studies.trial.rows import ESTIMATED, Block

if TYPE_CHECKING:
    from simulator.language.family import Family
    from simulator.studies.trial.blocks import Work
    from simulator.studies.trial.plan import Plan

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
VALUE, P = ESTIMATED.index("value"), ESTIMATED.index("p")
ANY, ALL = "any", "all"


class Claimed(NamedTuple):
    """(r, k) which claims of benefit, and of harm, are made."""

    benefit: Bools
    harm: Bools


def family_of(plan: Plan) -> Family | None:
    """The family of the trial."""
    trial = plan.scenario.trial
    return None if trial is None else trial.family


def procedure(plan: Plan) -> str:
    """The procedure of the family in words, "" without one."""
    family = family_of(plan)
    return "" if family is None else family.procedure.replace("_", " ")


def labels(plan: Plan) -> list[str]:
    """The claims in words."""
    return [_label(plan, one) for one in claims_of(plan)]


def _label(plan: Plan, one: Claim) -> str:
    other = [one.outcome] * (one.outcome != plan.outcome) + [one.endpoint] * (one.endpoint != plan.endpoint)
    return f"{one.analysis}{' of ' * bool(other)}{' and '.join(other)}, day {one.day}"


def decided(plan: Plan, found: Block) -> Claimed:
    """What the procedure claims in each replicate, benefit and harm apart, each at the level of the design."""
    family, test = family_of(plan), level(plan)
    assert family is not None
    signs = np.array([direction(one.analysis, one.outcome) for one in claims_of(plan)])
    side, p = np.sign(found.claims[..., VALUE]) * signs, found.claims[..., P]
    benefit, harm = (_claims(family, np.where(side == one, p, 1.0), test.two_sided) for one in (1, -1))
    return Claimed(benefit, harm & (test.sides == 2))


def _claims(family: Family, p: Floats, alpha: float) -> Bools:
    if family.procedure in ("hochberg", "co_primary"):
        return claimed(p, alpha, family.procedure)
    of = graph(family.procedure, p.shape[1], family.weights, family.transitions)
    return claimed(p, alpha, family.procedure, of)


def figures(work: Work, estimates: Block, null: Block | None) -> Floats:
    """(k + 2, 2, 4) of each claim, of any and of all: power, and the error without an effect, each as a Measure."""
    power = decided(work.plan, estimates).benefit
    found = np.full((power.shape[1] + 2, 2, len(Measure._fields)), np.nan)
    found[:, 0] = _shares(work, power)
    if null is not None:
        made = decided(work.plan, null)
        found[:, 1] = _shares(work, made.benefit | made.harm)
    return found


def _shares(work: Work, made: Bools) -> list[Measure]:
    each = [*made.T, made.any(axis=1), made.all(axis=1)]
    return [share(one, work.draw) for one in each]
