"""The values of a scenario that have a prior: its own, and the calibration's where it kept the catalog's value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.catalog.calibration import Parameter as Fitted
from simulator.catalog.calibration import calibration, calibration_of
from simulator.errors import SimulatorError
from simulator.language.address import path_to
from simulator.language.calibrated import places as places_of
from simulator.language.faults import suggest
from simulator.language.listing import values
from simulator.measures.outcome import OUTCOMES
from simulator.quantities import Prior
from simulator.studies.sweep.axes import inverse, priors

if TYPE_CHECKING:
    from simulator.language import Scenario


Floats = NDArray[np.float64]


class SensitivityError(SimulatorError):
    """The scenario has no such parameter, or the analysis cannot be made."""

    exit_code = 2


class Place(NamedTuple):
    """An address; `is_rest`: one minus the value goes there."""

    address: str
    is_rest: bool


class Parameter(NamedTuple):
    """A value with a prior. `places` are the addresses that it sets, `label` is what pictures call it.

    `quantile` gives the values below which the prior has some probabilities.
    """

    name: str
    own: float
    belief: str
    places: tuple[Place, ...]
    quantile: Callable[[Floats], Floats]
    label: str = ""
    unit: str = ""

    @property
    def address(self) -> str:
        """Where it stands in the resolved scenario."""
        return self.places[0].address

    @property
    def is_treatment(self) -> bool:
        """Whether recruiting does not depend on it: the same people serve every value."""
        return all(place.address.startswith(("treatments.", "arms.")) for place in self.places)

    def value(self, probability: float) -> float:
        """One quantile of the prior."""
        return float(self.quantile(np.array([probability]))[0])

    def at(self, probability: float) -> dict[str, float]:
        """The settings at a quantile of the prior."""
        return self.settings(self.value(probability))

    def settings(self, value: float) -> dict[str, float]:
        """The settings of a value."""
        return {place.address: 1 - value if place.is_rest else value for place in self.places}


def parameters_of(scenario: Scenario, wanted: Sequence[str] | None = None) -> list[Parameter]:
    """The parameters of a scenario, or those wanted by name or address.

    A prior in the scenario comes before the calibration's for the same value. The calibration's priors hold where the
    scenario has the catalog's calibrated value: what its author changed stays as written. Values of the decision,
    such as costs, count where the outcome depends on them.

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
    own, content = priors(scenario), scenario.content()
    units = {one.address: one.unit or "" for one in values(scenario)}
    asked = scenario.sensitivity.outcome if scenario.sensitivity else ""
    economic = asked in OUTCOMES and OUTCOMES[asked].read is None
    for fitted, places in fitted_places(scenario):
        first = places[0].address
        prior, value = own.pop(first, None), _value(content, first)
        words = belief(prior) if prior is not None else _fitted_belief(fitted)
        quantile = partial(inverse, prior) if prior is not None else partial(_fitted_quantile, fitted)
        yield Parameter(fitted.name, value, words, places, quantile, fitted.label, units[first])
    for place, prior in own.items():
        if economic or not place.startswith("decision."):
            one = Place(place, False)
            made = Parameter(place, _value(content, place), belief(prior), (one,), partial(inverse, prior))
            yield made._replace(unit=units[place])


def fitted_places(scenario: Scenario) -> list[tuple[Fitted, tuple[Place, ...]]]:
    """The calibration's parameters whose values the scenario holds, and where; none of another disease."""
    known = calibrated_parameters(scenario)
    if scenario.disease.name != calibration().disease:
        return []
    found: dict[int, list[Place]] = {}
    for place, k, is_rest in places_of(scenario.content()):
        found.setdefault(k, []).append(Place(place, is_rest))
    return [(known[k], tuple(places)) for k, places in found.items()]


def calibrated_parameters(scenario: Scenario) -> tuple[Fitted, ...]:
    """The parameters of the calibration of a scenario's progression model."""
    spec = calibration_of(scenario.progression.model)
    return () if spec is None else spec.parameters


def _value(content: Any, place: str) -> float:
    """The number at an address of a resolved scenario's plain data."""
    for step in path_to(content, place) or ():
        content = content[step]
    return float(content["value"] if isinstance(content, dict) else content)


def of_priors(given: Mapping[str, Prior | Mapping[str, Any]]) -> list[Parameter]:
    """Parameters of a model that is no scenario: names and priors, as a scenario writes them."""
    found = []
    for name, one in given.items():
        prior = one if isinstance(one, Prior) else Prior.model_validate(one)
        middle = float(inverse(prior, np.array([0.5]))[0])
        found.append(Parameter(name, middle, belief(prior), (Place(name, False),), partial(inverse, prior)))
    return found


def _fitted_quantile(fitted: Fitted, probability: Floats) -> Floats:
    from scipy.special import ndtri

    return np.array([fitted.value(float(z)) for z in ndtri(probability)])


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
