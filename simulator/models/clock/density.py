"""How likely traits of the clock are under a specification, and the hazard that a disease time has used up.

Sections 1 to 6 of docs/model.md, from the traits that a run reports. Addresses are those of the scenario.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.models.density import has_spread, log_density, log_normal_density

if TYPE_CHECKING:
    from simulator.models.clock.spec import ClockSpec

Floats = NDArray[np.float64]
Traits = Mapping[str, NDArray[np.generic]]
MIDDLE_D50 = 12.0
TAUS = (("bulbar", 0), ("fine_motor", 1), ("gross_motor", 2), ("respiratory", -1))
"""Regions, and the site of onset at which each leads."""
EFFECTS = {
    "d50": ("log D50", np.log),
    "steepness": ("log a", np.log),
    "log_tau_bulbar": ("log tau, bulbar", None),
    "log_tau_respiratory": ("log tau, respiratory", None),
    "log_tau_svc": ("log tau_V", None),
    "v0": ("V0", None),
    "nfl_amplitude": ("log NfL amplitude", np.log),
}
"""Random effects whose shrinkage is told: trait, name, scale."""


def weighed(spec: ClockSpec) -> tuple[str, ...]:
    """Addresses whose change re-weights people, and changes nobody: those of distributions with a spread."""
    at, function, breathing = "progression.", spec.function, spec.breathing
    found = [f"{at}d50_months.{name}." for name, one in spec.d50_months.items() if has_spread(one)]
    found += [f"{at}function.steepness."] if has_spread(function.steepness) else []
    if function.tau_log_sd.value > 0:
        found += [f"{at}function.{key}" for key in ("tau_limb", "tau_axial", "tau_log_sd", "onset_factor")]
        *_, low, high = breathing.tau.terms()
        free = low <= 0 and np.isinf(high)
        found += (
            [f"{at}breathing.tau."]
            if breathing.tau.lognormal is not None and has_spread(breathing.tau) and free
            else []
        )
    found += [f"{at}breathing.v0_percent."] if has_spread(breathing.v0_percent) else []
    found += [f"{at}breathing.fvc_offset_percent."] if has_spread(breathing.fvc_offset_percent) else []
    if spec.neurofilament.log_sd.value > 0 and spec.neurofilament.amplitude.value > 0:
        found += [f"{at}neurofilament.{key}" for key in ("amplitude", "speed_exponent", "log_sd")]
    return tuple(found)


def log_densities(spec: ClockSpec, traits: Traits) -> Floats:
    """Log-density of everybody's traits, up to a term that does not depend on the specification."""
    return np.sum(list(_terms(spec, {key: np.asarray(one, np.float64) for key, one in traits.items()})), axis=0)


def _terms(spec: ClockSpec, traits: Mapping[str, Floats]) -> Iterator[Floats]:
    variant, site, d50 = traits["variant"], traits["onset_site"], traits["d50"]
    yield np.select(
        [variant == k for k in range(len(spec.d50_months))],
        [log_density(one, d50) for one in spec.d50_months.values()],
        0.0,
    )
    function, breathing, nfl = spec.function, spec.breathing, spec.neurofilament
    yield log_density(function.steepness, traits["steepness"])
    yield log_density(breathing.v0_percent, traits["v0"])
    yield log_density(breathing.fvc_offset_percent, traits["fvc_offset"])
    sd, axial, limb, lead = (
        function.tau_log_sd.value,
        *(np.log(one.value) for one in (function.tau_axial, function.tau_limb, function.onset_factor)),
    )
    for name, leads in TAUS:
        centre = (axial if name in ("bulbar", "respiratory") else limb) + np.where(site == leads, lead, 0.0)
        yield log_normal_density(traits[f"log_tau_{name}"], centre, sd)
    if sd > 0 and breathing.tau.lognormal is not None:
        _, median, own, *_ = breathing.tau.terms()
        shared = breathing.correlation_with_respiratory.value
        z = (traits["log_tau_respiratory"] - axial) / sd
        yield log_normal_density(traits["log_tau_svc"], np.log(median) + own * shared * z, own * np.sqrt(1 - shared**2))
    if nfl.amplitude.value > 0:
        centre = np.log(nfl.amplitude.value) - nfl.speed_exponent.value * np.log(d50 / MIDDLE_D50)
        yield log_normal_density(np.log(traits["nfl_amplitude"]), centre, nfl.log_sd.value)


def log_critical(spec: ClockSpec, traits: Traits) -> Floats:
    """Log of the disease time at which a person's own SVC is critical, ln L of section 4."""
    v0, log_tau = np.asarray(traits["v0"], np.float64), np.asarray(traits["log_tau_svc"], np.float64)
    return np.asarray(
        log_tau + np.log(v0 / spec.survival.critical_svc_percent.value - 1) / spec.breathing.steepness.value
    )
