"""ANCOVA of the scores of the joint rank, as they are or after multiple imputation of function, as in VALOR.

The scores of `joint_rank`, divided by n, are regressed on arm, baseline, strata and covariates: the coefficient of the
arm is the net benefit, over pairs of all participants, at equal covariates. After imputation an event still ranks by
its day, what would have been measured after it is not used, and who left without the event counts as free of it to the
end.

References
----------
Berry et al. (2013), doi:10.3109/21678421.2012.762930. Miller et al. (2022), doi:10.1056/NEJMoa2204705 (VALOR).
"""

from __future__ import annotations

import numpy as np

from simulator.analysis.trial.data import Floats, TrialData, where
from simulator.analysis.trial.definition import Analysis
from simulator.analysis.trial.design import ARM, Fit, columns, least_squares, usable
from simulator.analysis.trial.estimate import About, Estimate, adjusted, wald
from simulator.analysis.trial.imputation import Plan, complete, pooled
from simulator.analysis.trial.joint_rank import ESTIMAND as WITHIN
from simulator.analysis.trial.joint_rank import true_net_benefit
from simulator.analysis.trial.pairs import scores
from simulator.analysis.trial.potential import NOTHING, Options, Potential

ESTIMAND = WITHIN._replace(variable="rank among all participants by time of the event, then by change of function")


def joint_rank_ancova(data: TrialData, *, covariates: tuple[str, ...] = ()) -> Estimate:
    """Net benefit adjusted for baseline, strata and covariates; classical standard error, t with n − q df.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    covariates : tuple of str
        Covariates of the data that the model adjusts for, beside baseline and strata.

    Returns
    -------
    Estimate
        Value, standard error, interval and p.
    """
    x = columns(data, covariates)
    rows = usable(x)
    fit = _fit(x[rows], where(data, rows))
    about = About(adjusted("ANCOVA of joint ranks", covariates), ESTIMAND)
    return wald(fit.coefficients[ARM], np.sqrt(fit.covariance[ARM, ARM]), about, n=int(rows.sum()), df=fit.df)


def joint_rank_mi(
    data: TrialData,
    *,
    covariates: tuple[str, ...] = (),
    imputations: int = 20,
    passes: int = 5,
    per_arm: bool = False,
    seed: int = 0,
) -> Estimate:
    """The same after multiple imputation, Rubin's rules; see `imputation.Plan` for the options.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    covariates : tuple of str
        Covariates of the data that the model adjusts for, beside baseline and strata.
    imputations, passes : int
        Completed data sets; rounds of the imputation.
    per_arm : bool
        Impute each arm on its own.
    seed : int
        Of the imputations.

    Returns
    -------
    Estimate
        Value, standard error, interval and p.
    """
    x, change = columns(data, covariates), data.later_change()
    rows = usable(x)
    kept = where(data, rows)
    end = np.where(kept.event, kept.time, np.inf)
    completed = complete(x[rows], change[rows], Plan(imputations, passes, per_arm, seed))
    baseline = kept.outcome[:, :1]
    fits = [_fit(x[rows], kept._replace(time=end, outcome=np.hstack([baseline, baseline + one]))) for one in completed]
    about = About(adjusted(f"ANCOVA of joint ranks after {imputations} imputations", covariates), ESTIMAND)
    return pooled(fits, about, kept.n)


def _fit(x: Floats, data: TrialData) -> Fit:
    """Least squares of the scores, divided by n, on the columns of the design."""
    return least_squares(x, scores(data) / data.n)


def true_among_all(of: Potential, options: Options = NOTHING) -> float:
    """Probability of faring better minus that of faring worse, of all people: strata are covariates here."""
    return true_net_benefit(of, {"stratified": False})


ANALYSES = (
    Analysis("joint_rank_ancova", joint_rank_ancova, ESTIMAND, "net benefit", truth=true_among_all),
    Analysis("joint_rank_mi", joint_rank_mi, ESTIMAND, "net benefit", truth=true_among_all),
)
