"""Draws of everything that is uncertain in a decision: disease and drug, utilities and costs, other priors.

Disease and drug come from the calibrated ensemble, in which they are correlated. A value that the scenario gives a
prior of its own is drawn from that; utilities and costs by normal scores that share a correlation where one is stated.
Each value has a stream of random numbers of its own, so that more draws keep those that are there.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.errors import SimulatorError
from simulator.measures.economics import decision_of
from simulator.quantities import Prior
from simulator.studies.calibrate.apply import check_catalogs, drawn_settings, ensemble
from simulator.studies.sensitivity.parameters import belief, calibrated_parameters, fitted_places
from simulator.studies.sweep.axes import inverse, priors

if TYPE_CHECKING:
    from simulator.language import Scenario

Floats = NDArray[np.float64]
GROUPS = ("natural history", "drug", "utilities", "costs", "others")
UNDRAWN = ("willingness_to_pay", "discount", "research", "thresholds", "scenarios", "severity", "budget")
"""Parts of the decision that are the decision maker's and not drawn."""
UTILITIES, COSTS = "decision.utilities.", "decision.costs."


class Uncertain(NamedTuple):
    """A value that is drawn: name, address, group, its prior in words, and the SD of the prior's normal scale."""

    name: str
    address: str
    group: str
    prior: str
    sd: float


class Drawn(NamedTuple):
    """`settings` of each draw; `x` : (draws, values), normal scores or prior SDs."""

    uncertain: list[Uncertain]
    settings: list[dict[str, float]]
    x: Floats


class DrawsError(SimulatorError):
    """Nothing is uncertain, or the ensemble has too few vectors."""

    exit_code = 2


def draws_of(scenario: Scenario, count: int, seed: int) -> Drawn:
    """The draws of a probabilistic analysis.

    Raises
    ------
    DrawsError
        Nothing in the scenario has a prior.
    """
    check_catalogs(scenario)
    known, x = _ensemble(scenario, count)
    settings: list[dict[str, float]] = [{} for _ in range(count)]
    if known:
        for own, drawn in zip(settings, drawn_settings(scenario, count), strict=True):
            own.update(drawn)
    scores, own_priors = [x], _own(scenario)
    places = {one.address: k for k, one in enumerate(known)}
    for place, prior in own_priors.items():
        z = _scores(scenario, place, count, seed)
        for own, value in zip(settings, _values(place, prior, z), strict=True):
            own[place] = float(value)
        one = Uncertain(place.removeprefix("decision."), place, _group(place), belief(prior), _sd(prior))
        if place in places:
            known[places[place]] = one._replace(name=known[places[place]].name, group=known[places[place]].group)
            x[:, places[place]] = z
        else:
            known.append(one)
            scores.append(z[:, None])
    if not known:
        raise DrawsError(f"no value of {scenario.source_file} has a prior, so that nothing can be drawn")
    return Drawn(known, settings, np.concatenate(scores, axis=1))


def _ensemble(scenario: Scenario, count: int) -> tuple[list[Uncertain], Floats]:
    """The calibrated parameters that the scenario holds, and their draws."""
    places = fitted_places(scenario)
    if not places:
        return [], np.zeros((count, 0))
    vectors = ensemble(scenario.progression.model)
    if count > len(vectors):
        raise DrawsError(f"the ensemble has {len(vectors)} vectors, not {count}. Ask for fewer draws")
    names = [one.name for one in calibrated_parameters(scenario)]
    group = {"drug": "drug"}
    known = [
        Uncertain(one.name, where[0].address, group.get(one.informed_by, "natural history"), "ensemble", one.prior[1])
        for one, where in places
    ]
    return known, vectors[:count][:, [names.index(one.name) for one in known]].copy()


def _own(scenario: Scenario) -> dict[str, Prior]:
    """Priors that the scenario has itself, without what the decision maker sets."""
    aside = tuple(f"decision.{name}" for name in UNDRAWN)
    return {place: prior for place, prior in priors(scenario).items() if not place.startswith(aside)}


def _group(place: str) -> str:
    return "utilities" if place.startswith(UTILITIES) else "costs" if place.startswith(COSTS) else "others"


def _scores(scenario: Scenario, place: str, count: int, seed: int) -> Floats:
    """Standard normal scores of a value at each draw, correlated with those of its group where that is stated."""
    block, rho = decision_of(scenario).correlation, 0.0
    if block is not None and _group(place) in ("utilities", "costs"):
        stated = block.utilities if _group(place) == "utilities" else block.costs
        rho = 0.0 if stated is None else stated.value
    own = _normal(place, count, seed)
    return own if rho == 0 else np.sqrt(rho) * _normal(_group(place), count, seed) + np.sqrt(1 - rho) * own


def _normal(name: str, count: int, seed: int) -> Floats:
    words = np.frombuffer(hashlib.sha256(name.encode()).digest(), np.uint32)
    return np.random.default_rng([seed, *words.tolist()]).standard_normal(count)


def _values(place: str, prior: Prior, z: Floats) -> Floats:
    """The values at normal scores; no utility is above 1, and no cost or loss below 0."""
    from scipy.special import ndtr

    found = inverse(prior, ndtr(z))
    if place.startswith((f"{UTILITIES}states.", f"{UTILITIES}pav")):
        return np.minimum(found, 1.0)
    return np.maximum(found, 0.0) if place.startswith(COSTS) else found


def _sd(prior: Prior) -> float:
    """SD on the scale on which the prior is normal; of a uniform one its own."""
    if prior.lognormal is not None:
        return float(prior.lognormal.log_sd.value)
    if prior.normal is not None:
        return float(prior.normal.sd.value)
    assert prior.uniform is not None
    return float((prior.uniform.high.value - prior.uniform.low.value) / np.sqrt(12))
