"""The values of a scenario that have a prior: its own, and the calibration's where it kept the catalog's value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.catalog.calibration import Parameter as Fitted
from simulator.catalog.calibration import calibration
from simulator.errors import SimulatorError
from simulator.language.faults import Path, address, suggest
from simulator.quantities import Distribution, LogNormal, Part, Prior, Quantity
from simulator.studies.calibrate.apply import scenario_of
from simulator.studies.calibrate.apply import starting_places as places_of

if TYPE_CHECKING:
    from simulator.language import Scenario

ASIDE = ("sweep", "sensitivity", "decision", "targets")
"""Sections whose values no run reads."""


class SensitivityError(SimulatorError):
    """The scenario has no such parameter, or the analysis cannot be made."""

    exit_code = 2


class Place(NamedTuple):
    """An address; `is_rest`: one minus the value goes there."""

    address: str
    is_rest: bool


class Parameter(NamedTuple):
    """A value with a prior. `places` are the addresses that it sets; the first names it for people.

    `quantile` gives the value below which the prior has a probability.
    """

    name: str
    own: float
    belief: str
    places: tuple[Place, ...]
    quantile: Callable[[float], float]

    @property
    def address(self) -> str:
        """Where it stands in the resolved scenario."""
        return self.places[0].address

    @property
    def is_treatment(self) -> bool:
        """Whether recruiting does not depend on it: the same people serve every value."""
        return all(place.address.startswith(("treatments.", "arms.")) for place in self.places)

    def at(self, probability: float) -> dict[str, float]:
        """The settings at a quantile of the prior."""
        return self.settings(self.quantile(probability))

    def settings(self, value: float) -> dict[str, float]:
        """The settings of a value."""
        return {place.address: 1 - value if place.is_rest else value for place in self.places}


def parameters_of(scenario: Scenario, wanted: Sequence[str] | None = None) -> list[Parameter]:
    """The parameters of a scenario, or those wanted by name or address.

    A prior in the scenario comes before the calibration's for the same value. The calibration's priors hold where the
    scenario has the catalog's starting value: what its author changed stays as written.

    Raises
    ------
    SensitivityError
        Nothing has a prior, or there is no such parameter.
    """
    found = list(_all(scenario))
    if not found:
        fact = f"no value of {scenario.source_file} has a prior"
        raise SensitivityError(f"{fact}. Write one: {{value: …, prior: {{lognormal: …}}, evidence: assumed}}")
    if wanted is None:
        return found
    known = {key: one for one in found for key in (one.name, one.address)}
    for name in wanted:
        if name not in known:
            names = [one.name for one in found]
            raise SensitivityError(
                f"{name} has no prior in {scenario.source_file}. {suggest(name, names, 'Those are')}"
            )
    return list({known[name].name: known[name] for name in wanted}.values())


def _all(scenario: Scenario) -> Iterator[Parameter]:
    """Calibrated parameters first, in their order, then the other priors of the scenario."""
    own = {address(path): quantity for path, quantity in _quantities(scenario, ()) if quantity.prior is not None}
    for fitted, places in fitted_places(scenario):
        first = places[0].address
        quantity = own.pop(first, None)
        value = fitted.value(fitted.standard(_value(scenario, first)))
        if quantity is not None and quantity.prior is not None:
            yield Parameter(fitted.name, value, belief(quantity.prior), places, partial(inverse, quantity.prior))
        else:
            yield Parameter(fitted.name, value, _fitted_belief(fitted), places, partial(_fitted_quantile, fitted))
    for place, quantity in own.items():
        assert quantity.prior is not None
        prior = quantity.prior
        yield Parameter(place, quantity.value, belief(prior), (Place(place, False),), partial(inverse, prior))


def fitted_places(scenario: Scenario) -> list[tuple[Fitted, tuple[Place, ...]]]:
    """The calibration's parameters whose starting values the scenario holds, and where; none of another disease."""
    spec = calibration()
    if scenario.disease.name != scenario_of(spec.runs[spec.scenario]).disease.name:
        return []
    found: dict[int, list[Place]] = {}
    for place, k, is_rest in places_of(scenario):
        found.setdefault(k, []).append(Place(place, is_rest))
    return [(spec.parameters[k], tuple(places)) for k, places in found.items()]


def _value(scenario: Scenario, place: str) -> float:
    from simulator.studies.calibrate.evaluate import value_at

    value = value_at(scenario.content(), place)
    assert value is not None, place
    return value


def _quantities(node: Any, path: Path) -> Iterator[tuple[Path, Quantity]]:
    """Every quantity below a node, with its path in the complete form."""
    if isinstance(node, Distribution) and node.number is not None:
        node = node.number
    if isinstance(node, Quantity):
        yield path, node
    elif isinstance(node, Part):
        for key in type(node).model_fields:
            if path or key not in ASIDE:
                yield from _quantities(getattr(node, key), (*path, key))
    elif isinstance(node, (dict, list)):
        for key, part in node.items() if isinstance(node, dict) else enumerate(node):  # type: ignore[assignment]
            yield from _quantities(part, (*path, key))


def inverse(prior: Prior, probability: float) -> float:
    """Inverse of a prior's distribution function, clipped where the prior is."""
    if prior.uniform is not None:
        low, high = prior.uniform.low.value, prior.uniform.high.value
        return low + (high - low) * probability
    shape = prior.lognormal or prior.normal
    assert shape is not None
    z = _normal(probability)
    if isinstance(shape, LogNormal):
        value = shape.median.value * np.exp(shape.log_sd.value * z)
    else:
        value = shape.mean.value + shape.sd.value * z
    low = -np.inf if shape.low is None else shape.low.value
    return float(np.clip(value, low, np.inf if shape.high is None else shape.high.value))


def _normal(probability: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(probability))


def _fitted_quantile(fitted: Fitted, probability: float) -> float:
    return fitted.value(_normal(probability))


def belief(prior: Prior) -> str:
    """A prior in words."""
    for shape in ("uniform", "normal", "lognormal"):
        if (part := getattr(prior, shape)) is not None:
            given = {key: getattr(part, key) for key in type(part).model_fields}
            numbers = [f"{key} {one.value:g}" for key, one in given.items() if one is not None]
            return f"{shape}, {', '.join(numbers)}"
    raise AssertionError


def _fitted_belief(fitted: Fitted) -> str:
    centre, sd = fitted.prior
    scale = {"log": "lognormal, median", "logit": "logit-normal, median", "plain": "normal, mean"}[fitted.scale]
    words = {"log": "log_sd", "logit": "logit_sd", "plain": "sd"}[fitted.scale]
    return f"{scale} {centre:g}, {words} {sd:g}"
