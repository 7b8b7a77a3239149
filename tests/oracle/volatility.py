"""The rate's fluctuation q on 28-day epochs, before and after entry (model.md 1, docs/random_numbers.md)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from .philox import HISTORY, VOLATILITY, Keys
from .units import DAYS_PER_MONTH, EPOCH_DAYS, Numbers


def factor(z: float, log_sd: float) -> float:
    """``q = exp(s z - s^2/2)``, mean 1; 1 when s = 0."""
    return math.exp(log_sd * z - 0.5 * log_sd * log_sd)


def chain(keys: Keys, stream: int, volatility: Numbers, before: float | None) -> Iterator[float]:
    """z of the epochs 0, 1, 2, ... of a stream: ``z' = rho z + sqrt(1 - rho^2) Z``; the first of all is Z itself."""
    rho = volatility["autocorrelation"]
    z, epoch = before, 0
    while True:
        new = keys.normals(stream, epoch // 4)[epoch % 4]
        z = new if z is None else rho * z + math.sqrt(1.0 - rho * rho) * new
        yield z
        epoch += 1


def live_until_disease_time(keys: Keys, volatility: Numbers, d50: float, u0: float) -> tuple[float, float | None]:
    """Months from onset until u reaches `u0` through HISTORY epochs, and z of the epoch cut by entry (model.md 10)."""
    u, days = 0.0, 0.0
    if u0 == 0.0:
        return 0.0, None
    for z in chain(keys, HISTORY, volatility, None):
        speed = factor(z, volatility["log_sd"]) / (d50 * DAYS_PER_MONTH)
        if u + speed * EPOCH_DAYS >= u0:
            return (days + (u0 - u) / speed) / DAYS_PER_MONTH, z
        u, days = u + speed * EPOCH_DAYS, days + EPOCH_DAYS
    raise AssertionError("the chain never ends")


def live_until_time(keys: Keys, volatility: Numbers, d50: float, months: float) -> tuple[float, float | None]:
    """u reached `months` after onset through HISTORY epochs, and z of the epoch cut by entry (model.md 10)."""
    u, left = 0.0, months * DAYS_PER_MONTH
    if left == 0.0:
        return 0.0, None
    for z in chain(keys, HISTORY, volatility, None):
        u += factor(z, volatility["log_sd"]) * min(left, EPOCH_DAYS) / (d50 * DAYS_PER_MONTH)
        left -= EPOCH_DAYS
        if left <= 0.0:
            return u, z
    raise AssertionError("the chain never ends")


def study_factors(keys: Keys, volatility: Numbers, before: float | None, end: float) -> list[float]:
    """q of the study epochs that begin on days 0, 28, 56, ... up to `end`."""
    count = int(end // EPOCH_DAYS) + 1
    values = chain(keys, VOLATILITY, volatility, before)
    return [factor(next(values), volatility["log_sd"]) for _ in range(count)]
