"""From the arrays of a study to groups with names, units and provenance."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.replicates import Measure, share
from simulator.analysis.trial.estimand import Estimand
from simulator.analysis.trial.multiplicity import claimed, graph
from simulator.analysis.trial.registry import analysis
from simulator.analysis.trial.truth import QUANTITIES
from simulator.language import plausible
from simulator.results.arrays import Group, Groups, Named, names_of
from simulator.results.kinds import TRIAL
from simulator.studies.trial import borrowed
from simulator.studies.trial.comparisons.figures import figures as comparisons
from simulator.studies.trial.decision import direction, in_words, level
from simulator.studies.trial.estimands import estimand_of, estimated_by, told
from simulator.studies.trial.interim import interim
from simulator.studies.trial.looks import looks
from simulator.studies.trial.measures import MEASURES, measures
from simulator.studies.trial.plan import Claim, Plan, claims_of, compared
from simulator.studies.trial.population import Truth
from simulator.studies.trial.rows import COUNTED, ESTIMATED, Block
from simulator.studies.trial.sizes import Sizes
from simulator.version import __version__, versions

if TYPE_CHECKING:
    from simulator.language.family import Family
    from simulator.language.scenario import Scenario
    from simulator.studies.trial.blocks import Work

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
    "duration_days": "days of the calendar from the first enrolment to the last participant's analysis",
}


Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
VALUE, P = ESTIMATED.index("value"), ESTIMATED.index("p")
ANY, ALL = "any", "all"


class Parts(NamedTuple):
    """What a study computed; None where it was not asked for."""

    estimates: Block
    null: Block | None
    truth: Truth | None
    sizes: Sizes | None


def groups_of(work: Work, parts: Parts) -> Groups:
    """The groups of a study."""
    found = {"estimates": _estimates(work, parts.estimates), "counts": _counts(work, parts.estimates)}
    if parts.null is not None:
        found["null"] = _estimates(work, parts.null)
    if parts.truth is not None:
        found["truth"] = _truth(work, parts.truth)
        found["population"] = _population(work, parts.truth)
    found["performance"] = _performance(work, parts)
    if looks(work.plan):
        names = range(len(work.plan.analyses))
        true = [float(parts.truth.value[:, a, 0].mean()) if parts.truth else np.nan for a in names]
        found["interim"] = interim(work, parts.estimates, true)
        if parts.null is not None:
            found["interim_null"] = interim(work, parts.null, [0.0 for _ in names])
    if compared(work.plan):
        found["comparisons"] = comparisons(work, parts.estimates, parts.truth)
        if parts.null is not None:
            found["comparisons_null"] = comparisons(work, parts.null, None)
    if family_of(work.plan):
        found["family"] = _family(work, parts)
    if parts.sizes is not None:
        found |= {"power": _power(work, parts.sizes), "needed": _needed(work, parts.sizes)}
    return found


def _estimates(work: Work, found: Block) -> Group:
    """The estimates, and which of them are logarithms."""
    scales = np.array([analysis(name).scale == "log" for name in work.plan.analyses], np.int8)
    log = Named(("analysis",), scales, {"units": "1", "long_name": "1: a logarithm is estimated"})
    words = {"units": "1", "long_name": "vector of the ensemble"}
    more = {} if work.draw is None else {"vector": Named(("replicate",), work.draw, words)}
    columns = {name: Named(CELLS, found.estimates[..., k], _attrs(name)) for k, name in enumerate(ESTIMATED)}
    return {**_coordinates(work, *CELLS), "logarithm": log, **more, **columns}


def _counts(work: Work, found: Block) -> Group:
    """Who took part, had the event, left, was not measured."""
    dims = ("replicate", "analysis_day", "side")
    columns = {name: Named(dims, found.counts[..., k], _attrs(name)) for k, name in enumerate(COUNTED)}
    days = found.calendar[:, -1, :1] + np.subtract(work.plan.days, work.plan.days[0])  # the last look is the first end
    columns["duration_days"] = Named(dims[:2], days, _attrs("duration_days"))
    return {**_coordinates(work, *dims), **columns}


def _truth(work: Work, found: Truth) -> Group:
    """The true values of what the analyses estimate; by draw where there are several."""
    dims = ("draw", "analysis", "analysis_day")
    draw = np.arange(len(found.value), dtype=np.int32)
    labels = {"draw": Named(("draw",), draw, {"units": "1", "long_name": "vector of the ensemble"})}
    value = Named(dims, found.value, {"units": "1", "long_name": "true value of the estimand"})
    return {**labels, **_coordinates(work, *dims[1:]), "value": value, "mcse": Named(dims, found.mcse, MCSE)}


def _population(work: Work, found: Truth) -> Group:
    """Facts from potential outcomes."""
    dims = ("quantity", "analysis_day")
    names = Named(("quantity",), names_of(tuple(one.name for one in QUANTITIES)), {"units": "1"})
    value = Named(dims, found.facts, {"units": "1", "long_name": "; ".join(f"{q.name}: {q.label}" for q in QUANTITIES)})
    error = Named(dims, found.facts_mcse, MCSE)
    return {"quantity": names, **_coordinates(work, "analysis_day"), "value": value, "mcse": error}


def _performance(work: Work, parts: Parts) -> Group:
    """The measures of each analysis."""
    found = measures(work, parts.estimates, parts.truth, parts.null)
    dims = ("analysis", "analysis_day", "measure")
    label = Named(("measure",), names_of(MEASURES), {"units": "1", "long_name": "measure of performance"})
    return {**_coordinates(work, *dims[:2]), "measure": label, **_figures(dims, found)}


def _family(work: Work, parts: Parts) -> Group:
    """Power and error of the claims of a family, of any and of all of them."""
    found = figures(work, parts.estimates, parts.null)
    claims = Named(("claim",), names_of((*labels(work.plan), ANY, ALL)), {"units": "1", "long_name": "claim"})
    return {
        "claim": claims,
        **{
            f"{prefix}{name}": Named(one.dims, one.values, one.attrs)
            for k, prefix in enumerate(("power_", "error_"))
            for name, one in _figures(("claim",), found[:, k]).items()
        },
    }


def _power(work: Work, found: Sizes) -> Group:
    """Power over sizes."""
    dims = ("analysis", "analysis_day", "size")
    label = Named(("size",), found.sizes, {"units": "1", "long_name": "participants"})
    return {**_coordinates(work, *dims[:2]), "size": label, **_figures(dims, found.power)}


def _needed(work: Work, found: Sizes) -> Group:
    """Participants needed for a power."""
    dims = ("analysis", "analysis_day", "target")
    label = Named(("target",), found.targets, {"units": "1", "long_name": "power wanted"})
    return {**_coordinates(work, *dims[:2]), "target": label, **_figures(dims, found.needed)}


MCSE = {"units": "1", "long_name": "Monte Carlo standard error"}


FIGURES = {
    "value": "value",
    "mcse": "Monte Carlo standard error",
    "lower": "lower limit of the 95 % Monte Carlo interval",
    "upper": "upper limit of the 95 % Monte Carlo interval",
}
"""The parts of a Measure."""


def _figures(dims: tuple[str, ...], found: NDArray[np.float64]) -> Group:
    return {
        name: Named(dims, np.ascontiguousarray(found[..., k]), {"units": "1", "long_name": words})
        for k, (name, words) in enumerate(FIGURES.items())
    }


def _attrs(name: str) -> dict[str, Any]:
    return {"units": "d" if name.endswith("_days") else "1", "long_name": WORDS[name]}


def _coordinates(work: Work, *dims: str) -> Group:
    values: dict[str, Any] = {
        "replicate": np.arange(work.replicates, dtype=np.int32),
        "analysis": names_of(work.plan.analyses),
        "analysis_day": np.array(work.plan.days, np.float64),
        "side": names_of(SIDES),
    }
    words = {"analysis_day": "day of analysis, days since baseline", "side": "side of the contrast"}
    units = {"analysis_day": "d"}
    return {
        dim: Named((dim,), values[dim], {"units": units.get(dim, "1"), "long_name": words.get(dim, dim)})
        for dim in dims
    }


def attributes(scenario: Scenario, work: Work, parts: Parts) -> dict[str, Any]:
    """What was run and where it comes from; nothing of the machine or of who ran it."""
    plan, wanted = work.plan, estimand_of(scenario)
    return {
        "format": TRIAL.format,
        "Conventions": "CF-1.11",
        "title": scenario.title,
        "seed": np.uint64(work.seed),
        "size": np.int64(plan.size),
        "experimental": plan.arms.experimental,
        "control": plan.arms.control,
        "test": in_words(plan),
        "procedure": procedure(plan),
        "people": np.int64(parts.truth.people if parts.truth else 0),
        "truth_parts": np.int64(parts.truth.parts if parts.truth else 0),
        "size_replicates": np.int64(parts.sizes.replicates if parts.sizes else 0),
        "scenario_name": scenario.name,
        "scenario_sha256": scenario.sha256,
        "scenario": scenario.resolved_yaml(),
        "engine_version": __version__,
        "versions": json.dumps(versions(), sort_keys=True),
        "citations": json.dumps(list(scenario.citations()), ensure_ascii=False),
        "arguments": json.dumps(_arguments(work, parts), sort_keys=True, default=list),
        "estimand": json.dumps(told(wanted), ensure_ascii=False) if wanted else "",
        "estimands": json.dumps(
            {name: told(estimated_by(name, plan.endpoint, plan.outcome)) for name in plan.analyses}, ensure_ascii=False
        ),
        "warnings": json.dumps(
            [*_warnings(plan, wanted), *borrowed.told(plan), *plausible.warnings(scenario)], ensure_ascii=False
        ),
    }


def _arguments(work: Work, parts: Parts) -> dict[str, Any]:
    """What `trial` was called with, as far as the numbers depend on it."""
    plan = work.plan
    found = {
        name: getattr(plan, name) for name in ("analyses", "size", "arms", "days", "options", "outcome", "endpoint")
    }
    return found | {
        "replicates": work.replicates,
        "seed": work.seed,
        "truth": parts.truth.people if parts.truth else 0,
        "null": parts.null is not None,
        "power": parts.sizes.targets.tolist() if parts.sizes else [],
        "sizes": parts.sizes.sizes.tolist() if parts.sizes else [],
        "draws": len(work.choices) if len(work.choices) > 1 else 0,
    }


def _warnings(plan: Plan, wanted: Estimand | None) -> list[str]:
    """What the reader must be told before the numbers: estimands about people who cannot exist, visits cut off."""
    found: dict[str, list[str]] = {}
    for name in plan.analyses:
        for flag in analysis(name).estimand.flags:
            found.setdefault(flag, []).append(name)
    for flag in wanted.flags if wanted else ():
        found.setdefault(flag, []).insert(0, "the scenario's estimand")
    told = [f"{', '.join(names)}: {flag}" for flag, names in found.items()]
    end, last = plan.scenario.follow_up_days, plan.days[-1]
    late = plan.scenario.visits.jitter_days
    if plan.scenario.trial and plan.scenario.trial.analysis_days[-1] + late > end:
        told.append(
            f"the visit of day {last} may fall up to {late} days later, and follow-up ends on day {end:,}: many of "
            f"them are not seen. Let follow_up_days be {late} days longer"
        )
    return told


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
