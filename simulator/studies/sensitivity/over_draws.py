"""Analyses over draws that are there already: the catalog's ensemble, or the points of a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis import value_of_information as value
from simulator.analysis.sensitivity.regression import variance_shares
from simulator.errors import SimulatorError
from simulator.language.faults import suggest
from simulator.measures.costs import unpriced
from simulator.measures.economics import KINDS
from simulator.studies.calibrate.apply import check_catalogs, drawn_settings, ensemble
from simulator.studies.sensitivity.methods import Findings
from simulator.studies.sensitivity.parameters import calibrated_parameters, fitted_places
from simulator.studies.sensitivity.points import Evaluate

if TYPE_CHECKING:
    from simulator.catalog.calibration import Parameter as Fitted
    from simulator.language import Scenario
    from simulator.language.blocks.decision import Research

Floats = NDArray[np.float64]
ALL, GROUPS = "all", ("natural_history", "drug")


class Share(NamedTuple):
    """Shares of the outcome's variance: what a parameter says alone (± its standard error), and adds to the others.

    The error is NaN where the people are the same in every draw and fewer than three replicates tell how they differ.
    """

    name: str
    address: str
    alone: float
    alone_se: float
    added: float


class Worth(NamedTuple):
    """What knowing a parameter, or a group, would be worth; below `floor` it cannot be told from nothing."""

    name: str
    address: str
    evppi: float
    se: float
    floor: float


class Option(NamedTuple):
    """An option: means over draws, the standard error of its net benefit, in how many draws it is the best."""

    name: str
    life_years: float
    qalys: float
    costs: float
    net_benefit: float
    se: float
    best: float


class Draws(NamedTuple):
    """Draws of the ensemble for a scenario: parameters, each with its address; values in prior SDs (n, parameters)."""

    fitted: list[tuple[Fitted, str]]
    x: Floats


class DrawsError(SimulatorError):
    """There are too few draws for the parameters."""

    exit_code = 2


def draws_of(scenario: Scenario, draws: int) -> Draws:
    """The parameters that the ensemble sets in a scenario, and their draws."""
    check_catalogs(scenario)
    names = [one.name for one in calibrated_parameters(scenario)]
    places = [(one, where[0].address) for one, where in fitted_places(scenario)]
    if draws < 4 * len(places):
        fact = f"{draws} draws do not tell {len(places)} parameters apart"
        raise DrawsError(f"{fact}. Ask for at least {4 * len(places)} with --points")
    return Draws(places, ensemble(scenario.progression.model)[:draws][:, [names.index(one.name) for one, _ in places]])


def over_ensemble(scenario: Scenario, evaluate: Evaluate, count: int, shared: bool) -> Findings:
    """Variance shares of the calibrated parameters over the ensemble, in which they are correlated."""
    draws = draws_of(scenario, count)
    values = evaluate(list(drawn_settings(scenario, count)))[:, :, 0]
    return shares(draws.x, values, [(one.name, place) for one, place in draws.fitted], shared)


def shares(x: Floats, values: Floats, names: Sequence[tuple[str, str]], shared: bool) -> Findings:
    """Variance shares of parameters : (n, parameters) in values : (n, replicates).

    `shared` : replicate r is the same people in every draw.
    """
    try:
        found = variance_shares(x, values, shared)
    except ValueError as error:
        raise DrawsError(f"{error}. Simulate more points, or more patients in each") from None
    columns = (found.alone, found.alone_se, found.added)
    rows = [Share(*name, *(float(column[k]) for column in columns)) for k, name in enumerate(names)]
    rows.sort(key=lambda row: -row.alone)
    mean = values.mean(axis=1)
    figures = {
        "mean": float(mean.mean()),
        "sd": float(np.sqrt(found.variance)),
        "noise_share": found.noise_share,
        "explained": found.explained,
        **{f"p{p}": float(np.percentile(mean, p)) for p in (5, 50, 95)},
    }
    return Findings(list(rows), figures, len(values))


def of_information(scenario: Scenario, evaluate: Evaluate, count: int, shared: bool) -> Findings:
    """The decision over the ensemble: options, EVPI, and EVPPI of each parameter, of the drug and of natural history.

    `evaluate` gives life years, QALYs, costs and net benefit of each option, in the order of `KINDS`; `shared`:
    replicate r is the same people in every draw.
    """
    assert scenario.decision is not None
    draws, names = draws_of(scenario, count), scenario.decision.options
    research = scenario.decision.research
    groups = [*_groups(draws), *((one.name, place, [k]) for k, (one, place) in enumerate(draws.fitted))]
    about = _about(research, draws) if research else []
    values = evaluate(list(drawn_settings(scenario, count)))
    values = values.reshape(count, values.shape[1], len(names), len(KINDS))
    benefit = values[..., KINDS.index("net_benefit")].transpose(0, 2, 1)
    found = value.choice(benefit, shared)
    options = []
    for k, name in enumerate(names):
        life, quality, cost, net = (float(x) for x in values[:, :, k].mean(axis=(0, 1)))
        options.append(Option(name, life, quality, cost, net, float(found.se[k]), float(found.probability[k])))
    worth = value.partials(benefit, draws.x, [*(known for *_, known in groups), *([about] if about else [])], shared)
    rows = [Worth(name, place, *one) for (name, place, _), one in zip(groups, worth, strict=False)]
    whole, single = rows[: -len(draws.fitted)], sorted(rows[-len(draws.fitted) :], key=lambda row: -row.evppi)
    lower = max([found.lower, *(one.value for one in worth)]) if np.isfinite(found.lower) else found.lower
    figures = {"evpi": found.evpi, "evpi_se": found.se_evpi, "evpi_lower": lower, "best": float(found.best)}
    if research is not None:
        figures |= _research(research, worth[-1])
    free = unpriced(scenario)
    warning = f"Without a price: {', '.join(free)}." if free else ""
    return Findings([*whole, *single], figures, count, list(options), warning)


def _about(block: Research, draws: Draws) -> list[int]:
    """Which parameters a study would reveal; those of the drug where it does not say."""
    known = {one.name: k for k, (one, _) in enumerate(draws.fitted)}
    about = block.about or [one.name for one, _ in draws.fitted if one.informed_by == "drug"]
    for name in about:
        if name not in known:
            raise DrawsError(f"decision.research is about {name}, which is not drawn. {suggest(name, known, 'Drawn')}")
    return [known[name] for name in about]


def _research(block: Research, found: value.Partial) -> dict[str, float]:
    """What a study is worth at most to all patients, as if it revealed its parameters without error, and its cost."""
    patients = block.patients.value
    per_patient = dict(zip(("research_worth", "research_se", "research_floor"), found, strict=True))
    whole = {key: patients * amount for key, amount in per_patient.items()}
    return {**whole, "research_cost": block.cost.amount, "research_patients": patients}


def _groups(draws: Draws) -> list[tuple[str, str, list[int]]]:
    """The drug's parameters together, and those of natural history: name, no address, which they are."""
    kinds = {group: [k for k, (one, _) in enumerate(draws.fitted) if one.informed_by == group] for group in GROUPS}
    return [(f"{ALL} {group}", "", inside) for group, inside in kinds.items() if len(inside) > 1]
