"""The twelve items of the ALSFRS-R, their measurement, and the stages read from them (model.md 2 and 9)."""

from __future__ import annotations

import math
from functools import cache

from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from .patient import Person
from .philox import MEASURE_ITEMS, Keys

DIFFICULTY = (0.95, 1.0, 1.05, 1.0, 0.95, 1.05, 1.0, 1.0, 1.0, 0.92, 1.0, 1.10)
DYSPNOEA, INSUFFICIENCY = 9, 11


def latent_items(person: Person, u: float) -> list[float]:
    """``4 / (1 + (u+ / (tau_k d_j))^a)``, three items a domain."""
    scales = [pair for pair in zip(person.onsets, person.tau, strict=True) for _ in range(3)]
    return [
        4.0 / (1.0 + (max(u - begin, 0.0) / (tau * d)) ** person.a)
        for (begin, tau), d in zip(scales, DIFFICULTY, strict=True)
    ]


def whole(latent: list[float], pav: bool) -> list[int]:
    """Rounded half up within 0..4; items 10 and 12 are 0 from PAV on."""
    points = [min(max(math.floor(x + 0.5), 0), 4) for x in latent]
    if pav:
        points[DYSPNOEA] = points[INSUFFICIENCY] = 0
    return points


@cache
def item_sd(total: float) -> float:
    """Noise of an item for which a total of twelve has the SD `total`, items being anywhere from 0 to 4."""

    def spread(sd: float) -> float:
        def moments(x: float) -> tuple[float, float]:
            chance = [norm.cdf((k + 0.5 - x) / sd) for k in range(4)] + [1.0]
            share = [chance[0]] + [chance[k] - chance[k - 1] for k in range(1, 5)]
            mean = sum(k * p for k, p in enumerate(share))
            return mean, sum(k * k * p for k, p in enumerate(share)) - mean * mean

        within = quad(lambda x: moments(x)[1], 0, 4, limit=200)[0] / 4
        bias = quad(lambda x: moments(x)[0] - x, 0, 4, limit=200)[0] / 4
        return within + quad(lambda x: (moments(x)[0] - x - bias) ** 2, 0, 4, limit=200)[0] / 4

    return float(brentq(lambda sd: 12 * spread(sd) - total**2, 0.02, 5))


def measured_items(person: Person, u: float, keys: Keys, visit: int, how: tuple[float, float, bool]) -> list[int]:
    """Items of a visit; `how` is the SD of the total, what the visit reads too high, and whether PAV has come."""
    total_sd, lift, pav = how
    z = [value for call in range(3) for value in keys.normals(MEASURE_ITEMS, 3 * visit + call)]
    sd = item_sd(total_sd)
    return whole([x + lift / 12 + sd * e for x, e in zip(latent_items(person, u), z, strict=True)], pav)


def stages(items: list[int], dead: bool, fed: bool = False, ventilated: bool = False) -> dict[str, int]:
    """King's (0-3, 4 = 4A, a feeding tube, 5 = 4B, failing breathing, 6 = death), MiToS and FT9 (5 = death)."""
    if dead:
        return {"kings_stage": 6, "mitos_stage": 5, "ft9_stage": 5}
    item = dict(enumerate(items, 1))
    regions = [any(item[k] < 4 for k in (1, 2, 3)), any(item[k] < 4 for k in (4, 5)), item[8] < 4]
    lost = [
        item[6] <= 1 or item[8] <= 1,
        item[3] <= 1,
        item[1] <= 1 and item[4] <= 1,
        item[10] <= 1 or item[12] <= 2,
    ]
    low = [sum(items[k : k + 3]) <= 9 for k in (0, 3, 6, 9)]
    kings = 5 if ventilated or item[10] == 0 or item[12] < 4 else 4 if fed else sum(regions)
    return {"kings_stage": kings, "mitos_stage": sum(lost), "ft9_stage": sum(low)}
