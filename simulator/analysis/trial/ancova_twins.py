"""ANCOVA whose control borrows what twins expect: the mean of control is near the mean of the prognostic scores.

The scores, changes that a model expects of each participant untreated, are a covariate as in `ancova_prognostic`, and
their mean stands where earlier controls stand in `ancova_commensurate`: known without error, but of a model that may be
wrong, by an amount whose precision is that of the spike or uniform over the slab.
"""

from __future__ import annotations

import numpy as np

from simulator.analysis.trial.ancova import ESTIMAND
from simulator.analysis.trial.data import SCORE, TrialData
from simulator.analysis.trial.definition import CHANGE, Analysis, Borrows
from simulator.analysis.trial.design import columns, usable
from simulator.analysis.trial.earlier import ALIKE, SLAB, SPIKE, Known, commensurate
from simulator.analysis.trial.estimate import About, Estimate, adjusted
from simulator.analysis.trial.posterior import difference, estimate, fitted, told
from simulator.analysis.trial.potential import always_survivors


def ancova_twins(
    data: TrialData,
    *,
    alike: float = ALIKE,
    spike: float = SPIKE,
    slab_low: float = SLAB[0],
    slab_high: float = SLAB[1],
    covariates: tuple[str, ...] = (),
) -> Estimate:
    """Posterior of the adjusted difference in change at the last visit.

    Parameters
    ----------
    data : TrialData
        Participants of two arms, with prognostic scores.
    alike : float
        Probability of the spike.
    spike, slab_low, slab_high : float
        Precision of the difference between control and its twins, as in `ancova_commensurate`; the SD is that of a
        participant about the model.
    covariates : tuple of str
        Covariates of the data that the model adjusts for, beside baseline, strata and the score.

    Returns
    -------
    Estimate
        Posterior mean, standard deviation and interval; p is twice the smaller tail.
    """
    names = (*covariates, SCORE)
    fit = fitted(data, names)
    expected = data.covariate(SCORE)
    rows = usable(columns(data, names)) & np.isfinite(data.change[:, -1])
    of = Known(np.array([expected[rows].mean()]), np.zeros(1), float(np.sqrt(fit.variance)))
    found = difference(fit, commensurate(alike, spike, slab_low, slab_high)(of))
    words = adjusted("ANCOVA, control with a commensurate prior about its twins", names)
    method = told(words, float(found.delta.below(0.0)), found.borrowed)
    return estimate(found.delta, About(method, ESTIMAND), fit.n)


BORROWS = Borrows("scores", commensurate)
ANALYSES = (Analysis("ancova_twins", ancova_twins, ESTIMAND, CHANGE, truth=always_survivors, borrows=BORROWS),)
