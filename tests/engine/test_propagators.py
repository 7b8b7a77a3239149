"""Constants of the drug chain's steps against matrix exponential, quadrature and closed forms (docs/model.md, 5)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.linalg import expm

from simulator.engine import propagators


def test_doses_add_up_to_a_peak_of_two_and_a_trough_of_one():
    decay = propagators.table(propagators.Rates(math.log(2) / 28, 0.03, 0.02, 0.07, 0.002, 0.07))[7, 0]
    amount, course = 0.0, []
    for week in range(53):
        before = amount
        amount += week in {0, 2, 4} or (week > 4 and week % 4 == 0)
        course.append((before, amount))
        amount *= float(decay)
    assert course[4][1] == pytest.approx(1 + 2**-0.5 + 2**-1, rel=1e-6)
    assert course[52] == pytest.approx((1.0, 2.0), rel=1e-3)


def test_a_unit_step_of_engagement_reaches_z2_through_two_stages():
    k = 2 / 91
    table = propagators.table(propagators.Rates(0.02, 0.0, k, 0.07, 0.002, 0.07)).astype(float)
    column = {name: table[:, place] for place, name in enumerate(propagators.COLUMNS)}
    z1 = z2 = 0.0
    for week in range(1, 105):
        mean = column["me"][7] + column["ma"][7] * z1 + column["mb"][7] * z2
        z1, z2 = column["ae"][7] + column["aa"][7] * z1, column["be"][7] + column["ba"][7] * z1 + column["bb"][7] * z2
        t = 7.0 * week
        assert z2 == pytest.approx(1 - math.exp(-k * t) * (1 + k * t), abs=2e-6)
        assert mean == pytest.approx(quad(lambda s: 1 - math.exp(-k * s) * (1 + k * s), t - 7, t)[0] / 7, abs=2e-6)


RATES = {
    "the drug's": propagators.Rates(
        math.log(2) / 28, math.log(2) / 25, 2 / 91, 1 / 14, math.log(2) / 280, math.log(2) / 9.5
    ),
    "fast": propagators.Rates(0.3, 0.35, 0.2, 0.5, 0.3, 0.4),
    "equal": propagators.Rates(0.1, 0.1, 0.1, 0.1, 0.1, 0.1),
    "slow": propagators.Rates(1e-4, 1e-5, 1e-4, 1e-3, 1e-6, 1e-4),
}


def chain_matrix(rates: propagators.Rates, h: float) -> np.ndarray:
    a = np.zeros((6, 6))
    a[0, 0] = -rates.sod1
    a[1, :2], a[2, 1:3] = (rates.fast, -rates.fast), (rates.slow, -rates.slow)
    a[3, [0, 3]], a[4, 3:5] = (rates.delay, -rates.delay), (rates.delay, -rates.delay)
    a[5, 4] = 1 / h
    return a


@pytest.mark.parametrize("rates", RATES.values(), ids=RATES)
@pytest.mark.parametrize("h", [1, 4, 7])
def test_propagators_are_the_matrix_exponential_and_its_integrals(rates, h):
    row = dict(zip(propagators.COLUMNS, propagators.table(rates)[h].astype(float), strict=True))
    first, second = h * (0.5 - 0.5 / math.sqrt(3)), h * (0.5 + 0.5 / math.sqrt(3))
    a = chain_matrix(rates, h)
    assert [row[name] for name in ("decay", "decay1", "decay2")] == pytest.approx(
        [math.exp(-rates.tissue * t) for t in (h, first, second)], rel=1e-6
    )
    for prefix, length in (("", h), ("h", h / 2)):
        p = expm(a * length)
        states = "erxabm" if not prefix else " rx"
        for i, to in enumerate(states):
            for j, source in enumerate("erxab"):
                if (name := f"{prefix}{to}{source}") in row and to != " ":
                    assert row[name] == pytest.approx(p[i, j], rel=1e-6, abs=1e-9), name
            for k, (node, other) in enumerate([(first, second), (second, first)], 1):
                if to != " ":
                    expected = quad(
                        lambda t, i=i, node=node, other=other, length=length: (
                            (expm(a * (length - t))[i, 0] * rates.sod1) * (t - other) / (node - other)
                        ),
                        0,
                        length,
                        epsabs=1e-12,
                    )[0]
                    assert row[f"{prefix}{to}{k}"] == pytest.approx(expected, rel=2e-6, abs=1e-9)


@pytest.mark.parametrize("rates", RATES.values(), ids=RATES)
@pytest.mark.parametrize("h", [1, 7])
def test_neurofilament_weights_are_the_integrals_of_lagrange_polynomials(rates, h):
    row = dict(zip(propagators.COLUMNS, propagators.table(rates)[h].astype(float), strict=True))
    k, nodes = rates.nfl, (0.0, h / 2, float(h))
    assert row["vv"] == pytest.approx(math.exp(-k * h), rel=1e-6)
    for name, own in zip(("v0", "vh", "v1"), nodes, strict=True):
        one, two = (node for node in nodes if node != own)
        expected = quad(
            lambda t, own=own, one=one, two=two: (
                k * math.exp(-k * (h - t)) * (t - one) * (t - two) / ((own - one) * (own - two))
            ),
            0,
            h,
        )[0]
        assert row[name] == pytest.approx(expected, rel=1e-5, abs=1e-8)
