"""ANCOVA whose control borrows earlier controls by a commensurate prior with a spike and a slab.

The mean of control is normal about that of the earlier controls together; the precision of their difference is that of
the spike, or uniform over the slab. The data decide between the two. See `earlier.commensurate` and `posterior`.
"""

from __future__ import annotations

from simulator.analysis.trial.ancova import ESTIMAND
from simulator.analysis.trial.ancova_map import borrowing
from simulator.analysis.trial.data import TrialData
from simulator.analysis.trial.definition import CHANGE, Analysis, Borrows
from simulator.analysis.trial.earlier import ALIKE, SLAB, SPIKE, commensurate
from simulator.analysis.trial.estimate import Estimate
from simulator.analysis.trial.potential import always_survivors


def ancova_commensurate(
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
        Participants of two arms, with earlier controls that tell the change until the last visit.
    alike : float
        Probability of the spike.
    spike, slab_low, slab_high : float
        Precision of the difference between control and earlier controls at the spike, and from where to where it is
        uniform otherwise, in 1/SD² of a participant. A spike of 200 is a difference of 0.07 SD, 2 one of 0.7.
    covariates : tuple of str
        Covariates of the data that the model adjusts for, beside baseline and strata.

    Returns
    -------
    Estimate
        Posterior mean, standard deviation and interval; p is twice the smaller tail.
    """
    words = "ANCOVA, control with a commensurate prior"
    kind = commensurate(alike, spike, slab_low, slab_high)
    return borrowing(data, kind, covariates, (words, "ancova_commensurate"))


BORROWS = Borrows("change", commensurate)
ANALYSES = (
    Analysis("ancova_commensurate", ancova_commensurate, ESTIMAND, CHANGE, truth=always_survivors, borrows=BORROWS),
)
