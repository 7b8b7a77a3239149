"""The hazard that a disease time has used up in the model with regions; all other values are simulated anew.

Equations: docs/model_regions.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from simulator.models.regions.spec import RegionsSpec

Floats = NDArray[np.float64]
Traits = Mapping[str, NDArray[np.generic]]
EFFECTS = {"d50": ("log D50", np.log), "v0": ("V0", None)}
"""Random effects whose shrinkage is told: trait, name, scale."""


def weighed(_spec: RegionsSpec) -> tuple[str, ...]:
    """Addresses whose change re-weights people: none."""
    return ()


def log_densities(_spec: RegionsSpec, traits: Traits) -> Floats:
    """Log-density of everybody's traits as far as `weighed` asks for it: nothing."""
    return np.zeros(len(traits["d50"]))


def log_critical(spec: RegionsSpec, traits: Traits) -> Floats:
    """Log of the disease time at which a person's own SVC is critical."""
    v0, tau = np.asarray(traits["v0"], np.float64), np.asarray(traits["tau_svc"], np.float64)
    return np.asarray(np.log(tau) + 0.5 * np.log(v0 / spec.survival.critical_svc_percent.value - 1))
