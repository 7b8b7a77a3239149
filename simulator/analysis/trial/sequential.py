"""Group-sequential designs: boundaries that spend a level, what they do to error, power and size, conditional power.

At looks with the shares t_1 < ... < t_K = 1 of the full information, the standardised statistics of an efficient
analysis are jointly normal with

    E Z_k = δ √t_k ,    Cov(Z_j, Z_k) = √(t_j/t_k)  for j ≤ k,

δ the drift, the mean of Z at full information. Probabilities of first crossings follow by integrating from look to
look: the density of Z_k on the region where the trial goes on is the one before, moved by an independent normal step.

References
----------
Armitage, McPherson & Rowe (1969), doi:10.2307/2343787 (the recursion). Lan & DeMets (1983), doi:10.1093/biomet/70.3.659
(spending). O'Brien & Fleming (1979), doi:10.2307/2530245. Wang & Tsiatis (1987), doi:10.2307/2531959. Jennison &
Turnbull (2000), Group Sequential Methods with Applications to Clinical Trials, chapter 19 (the grid). Hwang, Shih &
De Cani (1990), doi:10.1002/sim.4780091207.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from simulator.analysis.trial.data import Floats
from simulator.analysis.trial.errors import AnalysisError

FAR = 20.0
"""No standardised statistic gets here: a look that can spend nothing has its boundary here."""
GRID = 48
"""Points of the grid are 6 GRID - 1, and as many between them: boundaries are right to 1e-7."""
MAX_DRIFT = 30.0


class Spending(NamedTuple):
    """How a level is spent: its shape, and the number that the shapes `power` and `hwang_shih_decani` take."""

    shape: Literal["obrien_fleming", "pocock", "power", "hwang_shih_decani"] = "obrien_fleming"
    parameter: float = 1.0


OBRIEN_FLEMING = Spending()


class Boundaries(NamedTuple):
    """Looks and what stops the trial at each: |Z| ≥ efficacy, or Z ≤ futility (minus FAR where nothing does).

    `share` : (k,) of the full information at the looks, the last is 1. At the last look the trial ends anyway. With one
    of the `sides` no harm is claimed: only Z ≥ efficacy stops.
    """

    share: Floats
    efficacy: Floats
    futility: Floats
    sides: int = 2

    @property
    def harm(self) -> Floats:
        """(k,) Z at or below which harm is claimed."""
        return -self.efficacy if self.sides == 2 else np.full(len(self.share), -FAR)


class Crossing(NamedTuple):
    """Probabilities : (k,) that a trial stops at each look for benefit, for harm, for futility."""

    benefit: Floats
    harm: Floats
    futility: Floats

    @property
    def power(self) -> float:
        """Probability to end with the claim of benefit."""
        return float(self.benefit.sum())


def spent(spending: Spending, level: float, share: ArrayLike) -> Floats:
    """Part of a one-sided `level` that may be spent by each share of the information.

    O'Brien-Fleming type: 2 − 2 Φ(z_{1−level/2}/√t). Pocock type: level · log(1 + (e − 1) t). Power: level · t^ρ.
    Hwang, Shih and De Cani: level · (1 − e^{−γt})/(1 − e^{−γ}), level · t at γ = 0.
    """
    from scipy.special import ndtr, ndtri

    t = np.clip(np.asarray(share, np.float64), 1e-12, 1.0)
    p = spending.parameter
    if spending.shape == "obrien_fleming":
        return np.asarray(2 * ndtr(ndtri(level / 2) / np.sqrt(t)))
    if spending.shape == "pocock":
        return level * np.log1p((np.e - 1) * t)
    if spending.shape == "power":
        return level * t**p
    return np.asarray(level * (t if p == 0 else np.expm1(-p * t) / np.expm1(-p)))


def efficacy(share: ArrayLike, *, alpha: float = 0.05, spending: Spending = OBRIEN_FLEMING) -> Floats:
    """Two-sided boundaries : (k,) of |Z|, each side of which spends α/2 (Lan and DeMets).

    Raises
    ------
    AnalysisError
        The shares do not rise, or do not end with 1.
    """
    t = _checked(share)
    steps = np.diff(spent(spending, alpha / 2, t), prepend=0.0)
    return _solved(t, steps, 0.0, lambda k, z: (-z, z))


def wang_tsiatis(share: ArrayLike, *, alpha: float = 0.05, shape: float = 0.0) -> Floats:
    """Two-sided boundaries c t^(shape − 1/2) with total size α: 0 is O'Brien and Fleming's, 1/2 is Pocock's."""
    t = _checked(share)

    def excess(c: float) -> float:
        bounds = c * t ** (shape - 0.5)
        return 2 * crossing(Boundaries(t, bounds, np.full(len(t), -FAR))).power - alpha

    return np.asarray(_root(excess, 0.5, 10.0) * t ** (shape - 0.5))


def with_conditional_power(share: ArrayLike, bounds: ArrayLike, least: float) -> Boundaries:
    """Futility, not binding: stop when the conditional power under the current trend falls below `least`.

    Under it Z at the end is normal with mean z/√t and variance 1 − t, so the boundary is √t (c + √(1 − t) Φ⁻¹(least)).
    """
    from scipy.special import ndtri

    t, upper = _checked(share), np.asarray(bounds, np.float64)
    lower = np.sqrt(t) * (upper[-1] + np.sqrt(1 - t) * ndtri(least))
    lower[-1] = upper[-1]
    return Boundaries(t, upper, np.minimum(lower, upper))


def with_beta(
    share: ArrayLike, bounds: ArrayLike, *, beta: float = 0.2, spending: Spending = OBRIEN_FLEMING
) -> Boundaries:
    """Futility, not binding: boundaries that spend β under the drift at which the power is then 1 − β."""
    t, upper = _checked(share), np.asarray(bounds, np.float64)
    steps = np.diff(spent(spending, beta, t), prepend=0.0)

    def lower(drift: float) -> Boundaries:
        found = _solved(t, steps, -drift, lambda k, z: (-upper[k], z))  # mirrored: the lower side spends
        bound = np.minimum(-found, upper)
        bound[-1] = upper[-1]
        return Boundaries(t, upper, bound)

    least = float(upper[-1])  # with this drift a single look would have a power of one half
    drift = _root(lambda d: crossing(lower(d), d).power - (1 - beta), min(0.1, least), MAX_DRIFT)
    return lower(drift)


def without_futility(share: ArrayLike, bounds: ArrayLike) -> Boundaries:
    """Boundaries for benefit and harm only."""
    t = _checked(share)
    return Boundaries(t, np.asarray(bounds, np.float64), np.full(len(t), -FAR))


def by_posterior(
    share: ArrayLike,
    benefit: float,
    at_looks: float | None,
    *,
    least: float | None = None,
    predictive: float | None = None,
) -> Boundaries:
    """Bounds of a trial that decides by posterior probabilities; of one side.

    With a flat prior, or one whose information is in the shares, the probability of benefit is Φ(Z). Benefit above
    `benefit` at the end, above `at_looks` before; futility below `least`, or where the predictive probability of
    benefit at the end, Φ((Z − c √t)/√(1 − t)), is below `predictive`.
    """
    from scipy.special import ndtri

    t = _checked(share)
    end = float(ndtri(benefit))
    upper = np.full(len(t), FAR if at_looks is None else ndtri(at_looks))
    lower = np.full(len(t), -FAR if least is None else ndtri(least))
    if predictive is not None:
        lower = np.sqrt(t) * end + np.sqrt(1 - t) * ndtri(predictive)
    upper[-1] = lower[-1] = end
    return Boundaries(t, upper, np.minimum(lower, upper), 1)


def crossing(bounds: Boundaries, drift: float = 0.0) -> Crossing:
    """Where a trial with this drift first crosses a boundary; futility counts where it lies above the bound for harm.

    At the last look what crosses neither for benefit nor for harm counts as futility if there is a bound for it.
    """
    t, up, low = bounds.share, bounds.efficacy, np.maximum(bounds.futility, bounds.harm)
    out = np.zeros((3, len(t)))
    at = Walk(t, drift)
    for k in range(len(t)):
        below = at.below(k, low[k])
        harm = at.below(k, bounds.harm[k])
        out[:, k] = at.above(k, up[k]), harm, below - harm
        at.go_on(k, low[k], up[k])
    return Crossing(*out)


def expected_share(found: Crossing, share: Floats) -> float:
    """Expected information at the end, as a share of the full information: expected size where people are all alike."""
    stop = found.benefit + found.harm + found.futility
    return float(share @ stop + (1 - stop.sum()) * share[-1])


def drift_for(bounds: Boundaries, power: float) -> float:
    """Drift at which the design claims benefit with this power. Sample size goes with the square of the drift."""
    return _root(lambda d: crossing(bounds, d).power - power, 0.0, MAX_DRIFT)


def conditional_power(z: float, share: float, critical: float, drift: float | None = None) -> float:
    """Probability that Z at full information is at least `critical`, given z at a share of it.

    Under `drift`, or by default under the current trend z/√share.
    """
    from scipy.special import ndtr

    trend = z / np.sqrt(share) if drift is None else drift
    return float(ndtr((z * np.sqrt(share) + trend * (1 - share) - critical) / np.sqrt(1 - share)))


class Walk:
    """The density of Z over the region where the trial goes on, from look to look, on a grid with Simpson's weights."""

    def __init__(self, share: Floats, drift: float) -> None:
        self.share, self.drift = share, drift
        self.z, self.mass = np.zeros(1), np.ones(1)  # at share 0

    def _standardised(self, k: int, bound: float) -> tuple[Floats, float]:
        """How far each place of the grid is below `bound` of look k, in standard deviations of the step."""
        before = self.share[k - 1] if k else 0.0
        step = np.sqrt(self.share[k] - before)
        mean = self.z * np.sqrt(before) + self.drift * (self.share[k] - before)
        return (bound * np.sqrt(self.share[k]) - mean) / step, step

    def above(self, k: int, bound: float) -> float:
        """Probability to be at or above a bound at look k, having gone on before."""
        from scipy.special import ndtr

        return float(self.mass @ ndtr(-self._standardised(k, bound)[0]))

    def below(self, k: int, bound: float) -> float:
        """The same below a bound."""
        from scipy.special import ndtr

        return float(self.mass @ ndtr(self._standardised(k, bound)[0]))

    def go_on(self, k: int, low: float, high: float) -> None:
        """Keep those strictly between the bounds of look k."""
        if low >= high:
            self.z, self.mass = np.zeros(1), np.zeros(1)
            return
        z, weight = _grid(self.drift * np.sqrt(self.share[k]), low, high)
        before = self.share[k - 1] if k else 0.0
        step = np.sqrt(self.share[k] - before)
        mean = self.z * np.sqrt(before) + self.drift * (self.share[k] - before)
        gap = (z[:, None] * np.sqrt(self.share[k]) - mean[None, :]) / step
        density = np.exp(-0.5 * gap**2) @ self.mass * (np.sqrt(self.share[k]) / (step * np.sqrt(2 * np.pi)))
        self.z, self.mass = z, density * weight


def _grid(centre: float, low: float, high: float) -> tuple[Floats, Floats]:
    """Points and Simpson's weights between two bounds: dense within 3 of the centre, then ever wider."""
    i = np.arange(1, 6 * GRID)
    tail = 4 * np.log(GRID / np.minimum(i, 6 * GRID - i))
    x = np.where(i < GRID, -3 - tail, np.where(i > 5 * GRID, 3 + tail, 3 * (i - 3 * GRID) / (2 * GRID)))
    x = np.unique(np.clip(centre + x, low, high))
    if len(x) < 2:
        return x, np.zeros(len(x))
    points = np.empty(2 * len(x) - 1)
    points[::2], points[1::2] = x, (x[1:] + x[:-1]) / 2
    gap = np.diff(x)
    weight = np.zeros(len(points))
    weight[1::2] = 4 * gap / 6
    weight[:-1:2] += gap / 6
    weight[2::2] += gap / 6
    return points, weight


Region = Callable[[int, float], tuple[float, float]]


def _solved(share: Floats, steps: Floats, drift: float, region: Region) -> Floats:
    """Upper boundaries that spend `steps` at the looks; `region` says between which bounds the trial goes on."""
    walk, found = Walk(share, drift), np.empty(len(share))
    for k, amount in enumerate(steps):
        if walk.above(k, FAR) >= amount:
            found[k] = FAR
        elif walk.above(k, -FAR) <= amount:
            found[k] = -FAR
        else:
            found[k] = _root(lambda z, k=k, amount=amount: walk.above(k, z) - amount, -FAR, FAR)  # type: ignore[misc]
        walk.go_on(k, *region(k, float(found[k])))
    return found


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(function, low, high, xtol=1e-10, rtol=1e-12))


def _checked(share: ArrayLike) -> Floats:
    """The shares, if they rise from above 0 to 1."""
    t = np.asarray(share, np.float64)
    if t.ndim != 1 or not len(t) or t[0] <= 0 or np.any(np.diff(t) <= 0) or abs(t[-1] - 1) > 1e-12:
        raise AnalysisError(f"looks at {t.tolist()} of the information: they must rise from above 0 and end with 1")
    return t
