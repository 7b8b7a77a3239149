"""What is fitted: addresses of a scenario, on which scale, with which prior."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.catalog.calibration import Parameter as Fitted
from simulator.errors import UsageError
from simulator.language.address import path_to
from simulator.language.calibrated import value_at
from simulator.language.faults import suggest
from simulator.language.listing import values
from simulator.language.shape import expected
from simulator.quantities import Limit, Part, Quantity
from simulator.studies.sensitivity.parameters import belief, fitted_places
from simulator.studies.sweep.axes import inverse, priors

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

Floats = NDArray[np.float64]
WEAK_SD = 1.0
"""SD of the prior where the catalog has none, on the scale of the fit. Assumed."""
PRIORS = ("catalog", "none")
MOST = 30
SIGMA = np.array([0.158655, 0.5, 0.841345])
CLOCK = {
    "": ("progression.volatility.log_sd", "progression.volatility.autocorrelation", "visits.noise.alsfrs_r_points"),
    "svc": ("progression.breathing.v0_percent.normal.mean", "progression.breathing.tau.lognormal.median",
            "progression.breathing.tau.lognormal.log_sd", "visits.noise.svc_percent"),
    "fvc": ("progression.breathing.v0_percent.normal.mean", "progression.breathing.tau.lognormal.median",
            "progression.breathing.tau.lognormal.log_sd", "visits.noise.svc_percent"),
    "nfl_plasma": ("progression.neurofilament.amplitude", "progression.neurofilament.log_sd",
                   "visits.noise.nfl_log_sd"),
    "event": ("progression.survival.steepness", "progression.survival.critical_svc_percent"),
    "entry": ("entry.time_since_onset_months.lognormal.median", "entry.time_since_onset_months.lognormal.log_sd",
              "entry.disease_time.normal.mean", "entry.disease_time.normal.sd"),
}  # fmt: skip
"""What is free unless it is said: by what the data have. D50 of each variant that participants have comes first."""


class Free(NamedTuple):
    """A value that is fitted.

    Parameters
    ----------
    address : of the complete scenario. scale : `log`, `logit`, `fisher` (artanh) or `plain`, on which it is fitted.
    start : the scenario's value. centre, sd : the prior on the scale of the fit. belief : the prior in words.
    """

    address: str
    scale: str
    start: float
    centre: float
    sd: float
    belief: str
    unit: str = ""

    def turned(self, value: float) -> float:
        """A value on the scale of the fit."""
        return float(TURN[self.scale](value))

    def value(self, t: float) -> float:
        """A value in its own unit."""
        return float(BACK[self.scale](t))


TURN: Mapping[str, Callable[[float], Any]] = {
    "log": np.log,
    "logit": lambda x: np.log(x / (1 - x)),
    "fisher": np.arctanh,
    "plain": float,
}
BACK: Mapping[str, Callable[[float], Any]] = {
    "log": np.exp,
    "logit": lambda t: 1 / (1 + np.exp(-t)),
    "fisher": np.tanh,
    "plain": float,
}


def choose(
    scenario: Scenario, there: Sequence[str], fixed: Sequence[str], freed: Sequence[str], prior: str = "catalog"
) -> tuple[Free, ...]:
    """The values that are fitted.

    Parameters
    ----------
    scenario : whose values are the start.
    there : what the data have: variables, `event`, `entry` (time since onset is not known), `variant:NAME`.
    fixed, freed : addresses that are held or fitted beside, or in place of, the usual ones. A part of an address that
        ends with `*` stands for all addresses that begin so.
    prior : `catalog`, or `none` for maximum likelihood.

    Raises
    ------
    UsageError
        There is no such address, or nothing is left to fit.
    """
    if prior not in PRIORS:
        raise UsageError(f"there is no prior {prior!r}. Choose {' or '.join(PRIORS)}")
    known = {one.address: one for one in values(scenario) if isinstance(one.value, int | float)}
    usual = [one for one in _usual(scenario, there) if one in known]
    held = [address for name in fixed for address in _matching(name, usual, "fitted")]
    more = [address for name in freed for address in _matching(name, list(known), "a number of the scenario")]
    chosen = list(dict.fromkeys([*(one for one in usual if one not in held), *more]))
    if not chosen:
        raise UsageError("nothing is left to fit. Hold less, or free an address with --free")
    if len(chosen) > MOST:
        raise UsageError(f"{len(chosen)} values are free, and {MOST} are the most. Free fewer")
    return tuple(_free(scenario, address, prior, known[address].unit or "") for address in chosen)


def _usual(scenario: Scenario, there: Sequence[str]) -> Iterator[str]:
    """The addresses that are fitted unless it is said, as far as the scenario has them."""
    named = [name.removeprefix("variant:") for name in there if name.startswith("variant:")]
    for name in getattr(scenario.progression, "d50_months", {}):
        if name in named:
            yield from (f"progression.d50_months.{name}.lognormal.{key}" for key in ("median", "log_sd"))
    for key, addresses in CLOCK.items():
        if not key or key in there:
            yield from addresses


def _matching(name: str, among: Sequence[str], what: str) -> list[str]:
    found = [one for one in among if one == name or (name.endswith("*") and one.startswith(name[:-1]))]
    if not found:
        raise UsageError(f"{name} is not {what}. {suggest(name, list(among), 'There is')}")
    return found


def _free(scenario: Scenario, address: str, prior: str, unit: str) -> Free:
    """One address with its scale and its prior.

    A prior written in the scenario comes first, then the calibration's where the scenario has its value, then a weak
    one around the scenario's value. Their shape is taken as normal on the scale of the fit, with the same median and
    the same central 68 %.
    """
    start = value_at(scenario.content(), address)
    scale = _scale(scenario, address)
    if start is None or scale is None:
        raise UsageError(f"{address} is not a number that can be fitted. Free a value with a unit or a grade")
    if (scale in ("log", "logit") and start <= 0) or (scale == "logit" and start >= 1):
        raise UsageError(f"{address} is {start:g}, the edge of what it can be: nothing varies there. Set another start")
    made = Free(address, scale, start, 0.0, np.inf, "none", unit)
    if prior == "none":
        return made._replace(centre=made.turned(start))
    written = priors(scenario).get(address)
    if written is not None:
        low, middle, high = (made.turned(x) for x in inverse(written, SIGMA).tolist())
        return made._replace(centre=middle, sd=(high - low) / 2, belief=belief(written))
    for fitted, places in fitted_places(scenario):
        if places[0].address == address:
            return _calibrated(made, fitted)
    sd = WEAK_SD if scale != "plain" else max(abs(start), 1.0) * WEAK_SD
    return made._replace(centre=made.turned(start), sd=sd, belief=f"weak, SD {sd:g} on the {scale} scale")


def _calibrated(made: Free, fitted: Fitted) -> Free:
    made = made._replace(scale=fitted.scale)
    centre, sd = fitted.prior
    return made._replace(
        centre=made.turned(centre), sd=sd, belief=f"calibration's, {centre:g}, SD {sd:g} ({fitted.scale})"
    )


def _scale(scenario: Scenario, address: str) -> str | None:
    """The scale on which a value may be anything, from its limits; None where it is no quantity."""
    content = scenario.content()
    path = path_to(content, address)
    if not path:
        return None
    kind = expected(type(scenario), path[:-1], content)
    if not (isinstance(kind, type) and issubclass(kind, Part) and path[-1] in kind.model_fields):
        return "log" if isinstance(kind, type) or kind is dict else None  # one number in place of a distribution
    field = kind.model_fields[str(path[-1])]
    if not _is_quantity(field.annotation):
        return None
    bounds = {key for one in field.metadata if isinstance(one, Limit) for key in one.bounds}
    low = {value for one in field.metadata if isinstance(one, Limit) for value in one.bounds.values()}
    if -1 in low:
        return "fisher"
    if bounds & {"maximum", "exclusiveMaximum"} and 0 in low:
        return "logit"
    return "log" if bounds else "plain"


def _is_quantity(annotation: Any) -> bool:
    return annotation is Quantity or Quantity in getattr(annotation, "__args__", ())


def settings(free: Sequence[Free], t: Floats) -> dict[str, float]:
    """Addresses and values of a vector on the scale of the fit."""
    return {one.address: one.value(float(x)) for one, x in zip(free, t, strict=True)}


def penalty(free: Sequence[Free], t: Floats) -> float:
    """Log of the prior, up to a constant."""
    return float(sum(-0.5 * ((x - one.centre) / one.sd) ** 2 for one, x in zip(free, t.tolist(), strict=True)))


def started(free: Sequence[Free]) -> Floats:
    """The scenario's values on the scale of the fit."""
    return np.array([one.turned(one.start) for one in free])


def of_scenario(content: Mapping[str, Any], free: Sequence[Free]) -> dict[str, float]:
    """The values of a scenario at the addresses."""
    return {one.address: float(value_at(content, one.address) or 0.0) for one in free}
