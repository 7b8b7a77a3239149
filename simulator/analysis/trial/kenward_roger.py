"""Standard error and degrees of freedom of a contrast of the coefficients of a mixed model.

Satterthwaite: 2 f²/var(f), with f the variance of the contrast as a function of the covariance, whose variance comes
from the observed information. Kenward and Roger: f is enlarged by what the estimated covariance adds, and 2 f²/var(f)
takes the expected information. For one contrast their scale is 1.

With C the covariance of the coefficients, V_i the derivatives of the covariance in its parameters, W the inverse of
their expected information, G_i = X'V⁻¹V_iV⁻¹X and Q_ij = X'V⁻¹V_iV⁻¹V_jV⁻¹X, the enlargement is
2 l'C Σ W_ij (Q_ij − G_i C G_j) C l. It leaves out second derivatives of the covariance, which are 0 where it is
unstructured.

References
----------
Kenward & Roger (1997), doi:10.2307/2533558. Fai & Cornelius (1996), doi:10.1080/00949659608811740.
"""

from __future__ import annotations

import numpy as np

from simulator.analysis.trial.data import Floats
from simulator.analysis.trial.structures import Fitted, in_theta
from simulator.analysis.trial.unstructured import Patterns, curvatures, traces, traces_of, variance_gradient


def satterthwaite(data: Patterns, of: Fitted, contrast: Floats) -> tuple[float, float]:
    """The variance of a contrast : (q, v) and its degrees of freedom."""
    f, gradient, _ = variance_gradient(data, of.state, contrast)
    slope = in_theta(of.first, gradient)
    return f, 2 * f**2 / float(slope @ np.linalg.solve(of.information, slope))


def kenward_roger(data: Patterns, of: Fitted, contrast: Floats) -> tuple[float, float]:
    """The same by Kenward and Roger."""
    at = of.state
    f, gradient, pull = variance_gradient(data, at, contrast)
    curved = curvatures(data, at)
    covariance = at.covariance.reshape(len(curved), -1)
    weight, inside = at.weight, pull.T @ data.zz @ pull
    expected = (
        traces(weight, data.size[:, None, None] * weight)
        - 2 * traces(weight, weight @ at.leverage @ weight)
        + traces_of(np.tensordot(covariance, curved, 1))
    ) / 2
    towards = np.tensordot(pull.reshape(-1), curved, 1)  # l'C G_i
    more = traces(weight, weight @ inside @ weight) - towards.T @ covariance @ towards
    inverse = np.linalg.inv(in_theta(of.first, expected))
    slope = in_theta(of.first, gradient)
    return f + 2 * float((inverse * in_theta(of.first, more)).sum()), 2 * f**2 / float(slope @ inverse @ slope)
