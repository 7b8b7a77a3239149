"""Several claims at one level: which of them may be made, by the p values of all.

Bonferroni, Holm, a fixed order and whatever else shares out the level by weights are graphs: claim i is tested at
w_i α, and once it is made its weight goes to the others in the proportions of row i. The order in which claims are made
does not matter, and the probability to make any false one is at most α. Hochberg's procedure needs p values that are
independent or positively dependent. Co-primary claims are made together or not at all, each at the whole level.

References
----------
Bretz, Maurer, Brannath & Posch (2009), doi:10.1002/sim.3495. Holm (1979), A simple sequentially rejective multiple test
procedure, Scandinavian Journal of Statistics 6:65-70. Hochberg (1988), doi:10.1093/biomet/75.4.800.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
TOGETHER, STEP_UP = "co_primary", "hochberg"


class Graph(NamedTuple):
    """Parts of the level by claim : (k,), and what becomes of the part of a claim that is made : (k, k)."""

    weights: Floats
    transitions: Floats


def graph(
    procedure: str, claims: int, weights: Sequence[float] | None = None, transitions: ArrayLike | None = None
) -> Graph:
    """The graph of `hierarchical` (the order of the claims), `bonferroni`, `holm` or `graphical`.

    Without weights the parts of Bonferroni and Holm are equal.
    """
    if procedure == "graphical":
        return Graph(np.asarray(weights, np.float64), np.asarray(transitions, np.float64))
    if procedure == "hierarchical":
        return Graph(np.eye(claims)[0], np.eye(claims, k=1))
    parts = np.full(claims, 1 / claims) if weights is None else np.asarray(weights, np.float64)
    if procedure == "bonferroni":
        return Graph(parts, np.zeros((claims, claims)))
    others = np.where(np.eye(claims) > 0, 0.0, parts)
    total = others.sum(axis=1, keepdims=True)
    return Graph(parts, np.divide(others, total, out=np.zeros_like(others), where=total > 0))


def claimed(p: ArrayLike, alpha: float, procedure: str, of: Graph | None = None) -> Bools:
    """(r, k) which claims are made in each of r trials.

    Parameters
    ----------
    p : (r, k) of the claims; NaN, where there is no estimate, claims nothing.
    alpha : the level of all together, on the scale of the p values.
    procedure : its name.
    of : the graph of the procedures that have one.
    """
    values = np.nan_to_num(np.asarray(p, np.float64), nan=1.0)
    if procedure == TOGETHER:
        return np.repeat((values <= alpha).all(axis=1, keepdims=True), values.shape[1], axis=1)
    if procedure == STEP_UP:
        return _hochberg(values, alpha)
    return _by_graph(values, alpha, of or graph(procedure, values.shape[1]))


def _hochberg(p: Floats, alpha: float) -> Bools:
    """From the largest p down: the first that is at most α over the number of those as large."""
    k = p.shape[1]
    order = np.argsort(p, axis=1, kind="stable")
    passes = np.take_along_axis(p, order, axis=1) <= alpha / np.arange(k, 0, -1)
    made = np.logical_or.accumulate(passes[:, ::-1], axis=1)[:, ::-1]
    found = np.zeros_like(made)
    np.put_along_axis(found, order, made, axis=1)
    return found


def _by_graph(p: Floats, alpha: float, of: Graph) -> Bools:
    """One claim after another, in all trials at once."""
    r, k = p.shape
    weight, passed = np.tile(of.weights, (r, 1)), np.tile(of.transitions, (r, 1, 1))
    made = np.zeros((r, k), np.bool_)
    for _ in range(k):
        may = ~made & (weight > 0) & (p <= weight * alpha * (1 + 1e-12))
        rows = np.flatnonzero(may.any(axis=1))
        if not len(rows):
            break
        claim = may[rows].argmax(axis=1)
        made[rows, claim] = True
        weight[rows], passed[rows] = _pass_on(weight[rows], passed[rows], claim)
    return made


def _pass_on(weight: Floats, passed: Floats, claim: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """The graphs without the claims that were made : (r,)."""
    rows = np.arange(len(claim))
    out, into = passed[rows, claim], passed[rows, :, claim]  # from the claim to the others, and to it
    weight = weight + weight[rows, claim][:, None] * out
    back = into * out  # of each other claim: to this one and back
    through = passed + into[:, :, None] * out[:, None, :]
    left = (1 - back)[:, :, None]
    new = np.where(left > 1e-12, through / np.where(left > 1e-12, left, 1.0), 0.0)
    new[:, np.arange(new.shape[1]), np.arange(new.shape[1])] = 0.0
    new[rows, claim], new[rows, :, claim], weight[rows, claim] = 0.0, 0.0, 0.0
    return weight, new
