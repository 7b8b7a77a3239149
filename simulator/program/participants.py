"""Participants of a data set as the numbers that recruiting takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simulator.engine.people import GIVEN, LIMB
from simulator.language.check_data import SEXES, SITES, site_of

if TYPE_CHECKING:
    from simulator.language.blocks.entering import Data
    from simulator.language.scenario import Scenario

CODES = dict(zip(SITES, (0, 1, 2, LIMB, LIMB), strict=True))


def given(scenario: Scenario) -> np.ndarray:
    """(participant, column of GIVEN) float32; no rows where people come from distributions."""
    data = scenario.entry.data
    if data is None:
        return np.zeros((0, len(GIVEN)), np.float32)
    variants = list(scenario.disease.variants)
    return np.array([_row(row, data, variants) for row in data.rows], np.float32)


def _row(row: dict[str, str], data: Data, variants: list[str]) -> list[float]:
    sex, site = row["sex"].lower(), site_of(row)
    variant = variants.index(row["variant"]) if row["variant"] in variants and len(variants) > 1 else math.nan
    known = [
        variant,
        SEXES.get(sex, math.nan),
        CODES.get(site, math.nan),
        *(float(row[name]) if row[name] else math.nan for name in ("age", "months_since_onset")),
    ]
    like = data.tolerance
    total, svc, nfl = (float(row[name]) if name in data.match and row[name] else math.nan
                       for name in ("alsfrs_r", "svc_percent", "nfl_plasma"))  # fmt: skip
    half = like.nfl_plasma_percent.value / 100
    limits = [
        *_around(total, like.alsfrs_r.value),
        *_around(svc, like.svc_percent.value),
        *_around(nfl, half * nfl),
    ]
    return [*known, *limits]


def _around(value: float, half: float) -> tuple[float, float]:
    return (-math.inf, math.inf) if math.isnan(value) else (value - half, value + half)
