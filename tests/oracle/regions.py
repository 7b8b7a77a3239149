"""What the regions model has of its own (model_regions.md): regions that begin in turn, diagnosis on the clock."""

from __future__ import annotations

import math

from .patient import DOMAINS, SITES, Person, draw
from .philox import HISTORY, TRAIT, Keys
from .units import DAYS_PER_MONTH, EPOCH_DAYS, Numbers
from .volatility import chain, factor

EXPONENT = 2.0


def of(progression: Numbers) -> bool:
    """Whether the scenario has this model."""
    return progression.get("model") == "regions"


def onsets(progression: Numbers, site: str) -> tuple[float, ...]:
    """o_k of bulbar, fine motor, gross motor, respiratory; 0 for the region that leads (section 2)."""
    later = progression["function"]["later_onset"]
    values = (later["bulbar"], later["limb"], later["limb"], later["respiratory"])
    leading = dict(zip(SITES, DOMAINS[:3], strict=True))[site]
    return tuple(0.0 if name == leading else o for name, o in zip(DOMAINS, values, strict=True))


def taus(progression: Numbers, normals: tuple[float, ...]) -> tuple[float, ...]:
    """The four tau, one distribution for all (section 2)."""
    return tuple(draw(progression["function"]["tau"], z) for z in normals)


def diagnose(numbers: Numbers, person: Person, keys: Keys) -> bool:
    """Set the delay from onset to diagnosis; false if the person would enter before it (section 4).

    The history is walked once more, epoch by epoch, to the day on which u passes u_dx.
    """
    progression = numbers["progression"]
    diagnosis = progression["diagnosis"]
    z_due, z_lag, _, _ = keys.normals(TRAIT, 4)
    person.u_dx = draw(diagnosis["disease_time"], z_due)
    lag = draw(diagnosis["lag_months"], z_lag)
    lived, d50 = person.time_since_onset, person.d50
    crossed = _crossing(progression["volatility"], keys, d50, person.u_dx) if lived > 0.0 else math.inf
    if crossed <= lived:
        person.delay_months = crossed + lag
        return person.delay_months <= lived or numbers["entry"].get("months_since_diagnosis") is not None
    if not person.falls_ill:
        person.delay_months = math.inf
        return True
    person.delay_months = lived + (person.u_dx - person.u0) * d50 + lag
    return lived <= 0.0


def months_of_entry(numbers: Numbers, person: Person, keys: Keys) -> float:
    """Months from onset to entry, where entry counts from diagnosis: the wait goes with (D50/20)^exponent."""
    progression = numbers["progression"]
    diagnosis = progression["diagnosis"]
    z_due, z_lag, _, _ = keys.normals(TRAIT, 4)
    wait = draw(numbers["entry"]["months_since_diagnosis"], person.z_entry)
    crossed = _crossing(progression["volatility"], keys, person.d50, draw(diagnosis["disease_time"], z_due))
    slower = (person.d50 / 20.0) ** diagnosis["wait_exponent"]
    return crossed + draw(diagnosis["lag_months"], z_lag) + wait * slower


def _crossing(volatility: Numbers, keys: Keys, d50: float, u_dx: float) -> float:
    """Months from onset until the untreated clock passes u_dx, along the epochs of the history."""
    u, days = 0.0, 0.0
    for z in chain(keys, HISTORY, volatility, None):
        speed = factor(z, volatility["log_sd"]) / (d50 * DAYS_PER_MONTH)
        if u + speed * EPOCH_DAYS >= u_dx:
            return (days + (u_dx - u) / speed) / DAYS_PER_MONTH
        u, days = u + speed * EPOCH_DAYS, days + EPOCH_DAYS
    raise AssertionError("the chain never ends")
