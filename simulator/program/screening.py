"""Who is let in: variants, strata, and the rules of entry as numbers and in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simulator.engine import rows, screening
from simulator.engine.people import GIVEN, LIMB, Gates
from simulator.language.check_data import SEXES, SITES, site_of
from simulator.models.terms import terms
from simulator.program.models import numbers_of
from simulator.units import DAYS_PER_YEAR

if TYPE_CHECKING:
    from simulator.language.blocks.entering import Data
    from simulator.language.parts import Rule
    from simulator.language.people import Variant
    from simulator.language.scenario import Scenario
    from simulator.quantities import Quantity

F = np.float32


CODES = dict(zip(SITES, (0, 1, 2, LIMB, LIMB), strict=True))


def gates(scenario: Scenario) -> tuple[Gates, list[tuple[str, str]]]:
    """The tables of recruiting, and for each reason of rejection whose it is and what it says."""
    rules, when, names = _rules(scenario)
    variants, strata = scenario.disease.variants, scenario.strata or {}
    listed = {name: _listed(variant) for name, variant in variants.items()}
    found = Gates(
        variants=np.cumsum([v.share.value for v in variants.values()]).astype(F),
        table=numbers_of(scenario.progression.model).table_by_variant(scenario.progression, listed),
        carriers=np.array([_carrier(variant) for variant in variants.values()], F),
        dropout=dropout(scenario),
        rules=np.array(rules, F).reshape(-1, 4),
        when=np.array(when, F).reshape(-1, 5),
        shares=np.array([s.share.value for s in strata.values()] or [1.0]),
        given=given(scenario),
    )
    unlike = [("all", reason) for reason in screening.UNLIKE] if len(found.given) else []
    return found, [*(("all", reason) for reason in screening.REASONS), *names, *unlike]


def _listed(variant: Variant) -> tuple[float, float]:
    """Probability to count as fast, and the D50 [months] below which that can be."""
    limit = variant.listed_below_d50_months
    return variant.listed_fast.value, math.inf if limit is None else limit.value


def _carrier(variant: Variant) -> list[float]:
    """Penetrance, and the terms of the diagnostic delay [months]; nobody is ever diagnosed where none is known."""
    penetrance, delay = variant.penetrance, variant.diagnostic_delay_months
    never = (0.0, math.inf, 0.0, math.inf, math.inf)
    return [1.0 if penetrance is None else penetrance.value, *(never if delay is None else map(float, terms(delay)))]


def _rules(scenario: Scenario) -> tuple[list, list, list[tuple[str, str]]]:
    """Rules of entry (for all, then by stratum), conditions of the strata, and the rules in words."""
    strata = scenario.strata or {}
    rules, names, when = [], [], []
    owners = [(-1, "all", scenario.entry.eligible), *((k, n, s.eligible) for k, (n, s) in enumerate(strata.items()))]
    for number, name, rule in owners:
        for variable, low, high in limits(rule):
            rules.append((number, variable, low, high))
            names.append((name, _in_words(variable, low, high)))
    for number, stratum in enumerate(strata.values()):
        for clause, rule in enumerate(stratum.when or []):
            when += [(number, clause, *limit) for limit in limits(rule)]
    return rules, when, names


def limits(rule: Rule | None) -> list[tuple[int, float, float]]:
    """A rule as (number of the measure, low, high), inclusive."""
    if rule is None:
        return []
    fast = [(rows.MEASURES.index("variant"), 1.0, 1.0)] if rule.variant is not None else []
    named = [(code, getattr(rule, name)) for code, name in enumerate(rows.MEASURES) if name != "variant"]
    return fast + [
        (code, _number(bounds.min, -math.inf), _number(bounds.max, math.inf)) for code, bounds in named if bounds
    ]


def _number(value: Quantity | None, default: float) -> float:
    return default if value is None else value.value


def _in_words(variable: int, low: float, high: float) -> str:
    name = rows.MEASURES[variable]
    if name == "variant":
        return "variant: fast"
    if low == -math.inf:
        return f"{name} <= {high:g}"
    return f"{name} >= {low:g}" if high == math.inf else f"{low:g} <= {name} <= {high:g}"


def dropout(scenario: Scenario) -> np.ndarray:
    """Pieces (first day, rate per day, hazard before) of the dropout hazard."""
    pieces = scenario.attrition.dropout_per_year if scenario.attrition else []
    table, start, before = [], 0.0, 0.0
    for piece in pieces:
        rate = piece.rate.value / DAYS_PER_YEAR
        table.append((start, rate, before))
        if piece.until_day is not None:
            before += rate * (piece.until_day - start)
            start = float(piece.until_day)
    return np.array(table or [(0.0, 0.0, 0.0)], F)


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
