"""What a moment of disease time shows: function, breathing, strength, hazard, neurofilament (model.md 2, 3, 4, 6)."""

from __future__ import annotations

import math

from .patient import DOMAINS, Person
from .units import DAYS_PER_YEAR, Numbers


def domain(u: float, tau: float, a: float) -> float:
    """Points of one domain, ``12 / (1 + (u+ / tau)^a)`` (model.md 2)."""
    return 12.0 / (1.0 + (max(u, 0.0) / tau) ** a)


def function(person: Person, u: float) -> dict[str, float]:
    """Points of the four domains, each from its own beginning, and their total ``alsfrs_r`` (model.md 2)."""
    scales = zip(DOMAINS, person.onsets, person.tau, strict=True)
    points = {f"alsfrs_r_{name}": domain(u - begin, tau, person.a) for name, begin, tau in scales}
    return {"alsfrs_r": sum(points.values()), **points}


def svc(person: Person, u: float, progression: Numbers) -> float:
    """Slow vital capacity, ``V0 / (1 + (u+ / tau_V)^b)`` in % predicted (model.md 3)."""
    return person.v0 / (1.0 + (max(u, 0.0) / person.tau_v) ** progression["breathing"].get("steepness", 2.0))


def strength(person: Person, points: dict[str, float], progression: Numbers) -> float:
    """Dynamometry megascore, ``M0 - loss (1 - (F_fine + F_gross) / 24)`` (model.md 3)."""
    limbs = points["alsfrs_r_fine_motor"] + points["alsfrs_r_gross_motor"]
    return person.m0 - progression["strength"]["loss"] * (1.0 - limbs / 24.0)


def cumulative_hazard(u: float, scale: float, kappa: float) -> float:
    """``Phi(u) = (u+ / L)^kappa`` (model.md 4)."""
    return (max(u, 0.0) / scale) ** kappa


def hazard_on_clock(u: float, scale: float, kappa: float) -> float:
    """``phi = dPhi/du = kappa / L (u+ / L)^(kappa - 1)``, 0 before onset (model.md 4)."""
    return kappa / scale * (u / scale) ** (kappa - 1.0) if u > 0.0 else 0.0


def neurofilament(person: Person, state: tuple[float, float], day: float, progression: Numbers) -> float:
    """Plasma neurofilament light in pg/mL (model.md 6).

    ``N_bg(age) + A (12/D50)^beta e^eta psi(u) J`` with ``psi(u) = 1 - exp(-(u + kappa0)+ / kappa1)``,
    ``N_bg = background (1 + growth)^(age - 50)`` at the age of that day, and J not below 0.02 (model.md 5).

    Parameters
    ----------
    state : disease time u, and J.
    day : days since baseline.
    """
    u, j = state
    marker = progression["neurofilament"]
    age = person.age + day / DAYS_PER_YEAR
    background = marker["background"] * (1.0 + marker["background_growth"]) ** (age - 50.0)
    injury = 1.0 - math.exp(-max(u + marker["lead"], 0.0) / marker["rise"])
    speed = (12.0 / person.d50) ** marker["speed_exponent"]
    return background + marker["amplitude"] * speed * math.exp(person.eta) * injury * max(j, 0.02)
