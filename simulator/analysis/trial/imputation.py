"""Multiple imputation of missing visits, and Rubin's rules.

Visits are imputed one after another from arm, baseline, strata, covariates and other visits, by Bayesian linear
regression: σ² from its scaled inverse χ², coefficients from their normal posterior, then the value. The first pass
uses earlier visits only, which is exact when whoever misses a visit misses all later ones; further passes use all other
visits, for gaps. It is valid if missingness depends on what was observed before (missing at random).

References
----------
Rubin (1987), Multiple Imputation for Nonresponse in Surveys, doi:10.1002/9780470316696. Barnard & Rubin (1999),
doi:10.1093/biomet/86.4.948. van Buuren (2007), doi:10.1177/0962280206074463 (full conditional specification).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simulator.analysis.trial.data import Floats
from simulator.analysis.trial.design import ARM, Fit
from simulator.analysis.trial.errors import AnalysisError, NotEstimableError, solvable
from simulator.analysis.trial.estimate import About, Estimate, wald

RIDGE = 1e-6  # relative; visits that agree almost exactly must not stop an imputation
MOST_IMPUTATIONS, MOST_PASSES = 10_000, 1_000


class Plan(NamedTuple):
    """How to impute.

    `seed` decides the values: a study of replicates gives each its own. The regressions have a column for the arm;
    `per_arm` gives each arm its own, which needs arms of several times as many participants as visits.
    """

    imputations: int = 20
    passes: int = 5
    per_arm: bool = False
    seed: int = 0


class Combined(NamedTuple):
    """Rubin's rules: estimate, standard error, Barnard and Rubin's degrees of freedom."""

    value: float
    se: float
    df: float


def combine(values: Floats, variances: Floats, df_complete: float) -> Combined:
    """Rubin's rules with the degrees of freedom of Barnard and Rubin.

    values, variances : (m,) of the completed data sets; `df_complete` those of the complete-data analysis.
    """
    m = len(values)
    within, between = float(variances.mean()), float(values.var(ddof=1))
    total = within + (1 + 1 / m) * between
    if not total > 0:
        raise NotEstimableError("multiple imputation: nothing is left to estimate an error from")
    share = (1 + 1 / m) * between / total
    observed = (df_complete + 1) / (df_complete + 3) * df_complete * (1 - share)
    infinite = (m - 1) / share**2 if share > 0 else np.inf
    return Combined(float(values.mean()), float(np.sqrt(total)), float(1 / (1 / infinite + 1 / observed)))


def pooled(fits: Sequence[Fit], about: About, n: int) -> Estimate:
    """The coefficient of the arm over the fits to the completed data sets, by Rubin's rules."""
    values = np.array([fit.coefficients[ARM] for fit in fits])
    variances = np.array([fit.covariance[ARM, ARM] for fit in fits])
    found = combine(values, variances, fits[0].df)
    return wald(found.value, found.se, about, n=n, df=found.df)


def complete(x: Floats, y: Floats, plan: Plan) -> Floats:
    """(m, n, v) completed copies of y : (n, v); x : (n, q) are the complete columns of the design.

    Raises
    ------
    AnalysisError
        Imputations or passes are out of range.
    NotEstimableError
        There are too few participants for the regressions of the visits.
    """
    for name, number, least, most in (
        ("imputations", plan.imputations, 2, MOST_IMPUTATIONS),
        ("passes", plan.passes, 1, MOST_PASSES),
    ):
        if not least <= number <= most:
            raise AnalysisError(f"multiple imputation: {number:,} {name} are out of range. Ask for {least} to {most:,}")
    rng = np.random.default_rng(plan.seed)
    filled = np.repeat(y[None], plan.imputations, axis=0)
    groups = [x[:, ARM] == 1, x[:, ARM] == 0] if plan.per_arm else [np.ones(len(x), np.bool_)]
    if not all(group.any() for group in groups):
        raise NotEstimableError("imputation: nobody in an arm has a baseline and covariates")
    with solvable("imputation"):
        for group in groups:
            filled[:, group] = impute(_independent(x[group]), filled[:, group], plan.passes, rng)
    return filled


def impute(fixed: Floats, y: Floats, passes: int, rng: np.random.Generator) -> Floats:
    """Y : (m, n, v) with the missing values drawn; fixed : (n, k) are complete predictors, a constant among them."""
    missing = np.isnan(y[0])
    done, visits = y.copy(), np.flatnonzero(missing.any(axis=0))
    gaps = bool((missing[:, :-1] & ~missing[:, 1:]).any())
    for number in range(passes if gaps else 1):
        for visit in visits:
            others = np.delete(done, visit, axis=2) if number else done[:, :, :visit]
            shared = np.broadcast_to(fixed, (len(y), *fixed.shape))
            x = np.concatenate([shared, others], axis=2)
            done[:, missing[:, visit], visit] = _draw(x, done[:, :, visit], missing[:, visit], rng)
    return done


def _draw(x: Floats, y: Floats, missing: np.ndarray, rng: np.random.Generator) -> Floats:
    """Posterior predictive draws of y : (m, n) where missing, from a normal linear regression on x : (m, n, k)."""
    beta, sigma = posterior(x[:, ~missing], y[:, ~missing], rng)
    mean = (x[:, missing] @ beta[:, :, None])[:, :, 0]
    return np.asarray(mean + sigma[:, None] * rng.normal(size=mean.shape))


def posterior(x: Floats, y: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draws of coefficients : (m, k) and residual SDs : (m,) of a normal regression of y : (m, n) on x : (m, n, k)."""
    m, n, k = x.shape
    if n <= k + 1:
        raise NotEstimableError(
            f"imputation: {n} observed values for {k} predictors. Leave visits out, or impute both arms together"
        )
    products = x.transpose(0, 2, 1) @ x
    products += RIDGE * np.einsum("mkk->mk", products)[:, :, None] * np.eye(k)
    root = np.linalg.cholesky(products)
    beta = np.linalg.solve(products, x.transpose(0, 2, 1) @ y[:, :, None])
    rest = ((y - (x @ beta)[:, :, 0]) ** 2).sum(axis=1)
    sigma = np.sqrt(rest / rng.chisquare(n - k, m))
    shift = np.linalg.solve(root.transpose(0, 2, 1), rng.normal(size=(m, k, 1)))[:, :, 0]
    return np.asarray(beta[:, :, 0] + sigma[:, None] * shift), np.asarray(sigma)


def _independent(x: Floats) -> Floats:
    """The columns that differ within a group: the arm is constant there, a stratum may be."""
    varies = np.ptp(x, axis=0) > 0
    varies[0] = True
    return x[:, varies]
