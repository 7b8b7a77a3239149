"""Elementary functions in float32 that vectorise. Polynomials fitted on Chebyshev nodes; relative errors are tests.

PyPI's llvmlite has no vector library, so ``np.exp`` in a loop is a scalar call and stops the loop from vectorising.
Terms are added in pairs (Estrin), because the loops wait for results more than for arithmetic units.
"""

import numpy as np

from simulator.engine.jit import inline

F = np.float32
ZERO, HALF, ONE, TWO = F(0.0), F(0.5), F(1.0), F(2.0)
_LOG2E, _LN2_HIGH, _LN2_LOW = F(1.4426950408889634), F(0.693359375), F(-2.12194440054690583e-4)
_EXP_LOW, _EXP_HIGH = F(-87.0), F(88.0)
_E2, _E3, _E4, _E5, _E6 = F(0.5), F(0.16666576), F(0.041666467), F(0.0083631817), F(0.0013933652)
_L3, _L4, _L5, _L6 = F(0.33333328), F(-0.25000298), F(0.20001468), F(-0.16642247)
_L7, _L8, _L9, _L10 = F(0.14202173), F(-0.12972239), F(0.12712307), F(-0.081015587)
_C0, _C1, _C2, _C3, _C4 = F(1.0), F(-19.739208), F(64.939392), F(-85.456818), F(60.244587)
_C5, _C6, _C7, _C8 = F(-26.425617), F(7.8991599), F(-1.6968749), F(0.24376266)
_S0, _S1, _S2, _S3 = F(6.2831855), F(-41.341702), F(81.605247), F(-76.705803)
_S4, _S5, _S6, _S7 = F(42.057755), F(-15.086565), F(3.7813187), F(-0.62077856)
_MANTISSA, _BIAS, _SHIFT, _SQRT_HALF_BITS = np.int32(0x007FFFFF), np.int32(127), np.int32(23), np.int32(0x3F3504F3)
_ONE_BITS = np.int32(0x3F800000)
TINY = F(1.17549435e-38)
_SMALL = F(0.29)


@inline
def _exp_beyond(r):
    """e^r - 1 - r for r between -log(2)/2 and log(2)/2."""
    square = r * r
    return square * ((_E2 + r * _E3) + square * ((_E4 + r * _E5) + square * _E6))


@inline
def exp32(x):
    """e^x in float32; x below -87 gives e^-87, above 88 gives e^88."""
    x = min(max(x, _EXP_LOW), _EXP_HIGH)
    n = F(np.floor(x * _LOG2E + HALF))
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    return (ONE + (r + _exp_beyond(r))) * np.int32((np.int32(n) + _BIAS) << _SHIFT).view(np.float32)


@inline
def _log_beyond(f):
    """log(1 + f) - f for 1 + f between sqrt(1/2) and sqrt(2)."""
    square = f * f
    low, high = (_L3 + f * _L4) + square * (_L5 + f * _L6), (_L7 + f * _L8) + square * (_L9 + f * _L10)
    return square * (f * (low + (square * square) * high) - HALF)


@inline
def log32(x):
    """Logarithm of a normal positive x in float32; smaller x, and 0, give that of the smallest normal number."""
    bits = F(max(x, TINY)).view(np.int32)
    e = np.int32(np.int32(bits - _SQRT_HALF_BITS) >> _SHIFT)
    f = np.int32(bits - np.int32(e << _SHIFT)).view(np.float32) - ONE
    n = F(e)
    return n * _LN2_HIGH + (f + (_log_beyond(f) + n * _LN2_LOW))


@inline
def log1p_32(x):
    """log(1 + x) in float32, exact to the last places of a small x."""
    return x + _log_beyond(x) if abs(x) < _SMALL else log32(ONE + x)


@inline
def expm1_32(x):
    """e^x - 1 in float32, exact to the last places of a small x."""
    return x + _exp_beyond(x) if abs(x) < _SMALL else exp32(x) - ONE


@inline
def sincos_turn(u):
    """(sin, cos) of u turns, 0 < u < 1, in float32."""
    t = u - HALF
    s = t * t
    sine = _S0 + s * (_S1 + s * (_S2 + s * (_S3 + s * (_S4 + s * (_S5 + s * (_S6 + s * _S7))))))
    cosine = _C0 + s * (_C1 + s * (_C2 + s * (_C3 + s * (_C4 + s * (_C5 + s * (_C6 + s * (_C7 + s * _C8)))))))
    return -t * sine, -cosine
