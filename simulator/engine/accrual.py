"""When people enter a trial: a Poisson process over the calendar with a rate that is constant in pieces."""

import numpy as np

from simulator.engine.jit import kernel
from simulator.engine.people import I0
from simulator.engine.random import U32, Stream, uniforms

ACCRUAL = U32(Stream.ACCRUAL)


@kernel
def enrol(key, pieces, out):
    """Days on which the patients 0, 1, 2 ... enter, into `out`; the first opens the calendar, on day 0.

    The gaps between them are exponential in expected numbers, t = M^-1(sum of gaps) with M the integral of the rate. A
    gap belongs to its patient: the first N enter alike for any number.

    Parameters
    ----------
    pieces : (n_pieces, 3) float64: first day, people a day, people expected before
    out : (n_patients,) float64
    """
    expected = 0.0
    for i in range(out.size):
        if i > 0:
            expected -= np.log(np.float64(uniforms(key, U32(i), I0, ACCRUAL, I0)[0]))
        day = 0.0
        for k in range(pieces.shape[0]):
            if expected >= pieces[k, 2]:
                day = pieces[k, 0] + (expected - pieces[k, 2]) / pieces[k, 1]
        out[i] = day
    return out
