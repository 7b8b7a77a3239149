"""The points of a sweep: a block `sweep`, or a mapping of lists, to one {address: value} for each point.

Pure: the same block gives the same points, whatever was run before. Sobol' points and priors go on where fewer points
ended; a Latin hypercube of twice as many points holds the smaller one.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.language.address import plain
from simulator.language.blocks.sweep import MOST_POINTS, Axis, Sweep
from simulator.studies.sweep.axes import drawn, listed, priors, with_complements
from simulator.studies.sweep.errors import SweepError

if TYPE_CHECKING:
    from simulator.language import Scenario

Floats = NDArray[np.float64]
Point = dict[str, Any]


class Design(NamedTuple):
    """The points of a sweep and the addresses that they set, in the order of the block, with the names for some."""

    addresses: tuple[str, ...]
    points: list[Point]
    labels: dict[str, str]


def design(scenario: Scenario, block: Sweep) -> Design:
    """The points of a block; `scenario` is what they change, with the block's `set` in place.

    Raises
    ------
    SweepError
        Too many points; a prior that is not there; correlations that no distribution can have.
    """
    if block.method in ("grid", "one_at_a_time"):
        axes: Mapping[str, Axis] = block.parameters or {}
        points = METHODS[block.method](axes)
    else:
        axes = _sampled_axes(scenario, block)
        points = _ensemble(scenario, block) if block.method == "ensemble" else _sampled(scenario, block, axes)
        across = block.across or {}
        _check_size(len(points) * _cells(across))
        points = [one | other for one in points for other in grid(across)]
        axes = {**axes, **across}
    full = [with_complements(axes, point) for point in points]
    labels = {address: axis.label for address, axis in axes.items() if axis.label}
    return Design(_addresses(full), full, labels)


def as_given(given: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]) -> Design:
    """The points of a mapping of lists (all combinations), or points as they are."""
    if isinstance(given, Mapping):
        lists = {str(address): list(values) for address, values in given.items()}
        _check_size(int(np.prod([float(len(values)) for values in lists.values()])))
        points = [dict(zip(lists, row, strict=True)) for row in itertools.product(*lists.values())]
    else:
        points = [dict(point) for point in given]
    _check_size(len(points))
    points = [plain(point) for point in points]
    for point in points:
        try:
            json.dumps(point, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise SweepError(
                f"{point} cannot be a point: {error}. Give finite numbers, texts, lists, mappings"
            ) from None
    return Design(_addresses(points), points, {})


def _addresses(points: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What the points set, in the order of its first appearance."""
    return tuple(dict.fromkeys(address for point in points for address in point))


def grid(axes: Mapping[str, Axis]) -> list[Point]:
    """Every combination; the last address changes fastest."""
    _check_size(_cells(axes))
    values = [listed(axis) for axis in axes.values()]
    return [dict(zip(axes, combination, strict=True)) for combination in itertools.product(*values)]


def one_at_a_time(axes: Mapping[str, Axis]) -> list[Point]:
    """The scenario as it is, then each value of each address alone."""
    return [{}, *({address: value} for address, axis in axes.items() for value in listed(axis))]


METHODS: dict[str, Callable[[Mapping[str, Axis]], list[Point]]] = {"grid": grid, "one_at_a_time": one_at_a_time}


def _cells(axes: Mapping[str, Axis]) -> int:
    """Number of combinations, without making them."""
    sizes = [len(axis.values) if axis.values is not None else axis.count or 1 for axis in axes.values()]
    return int(np.prod([float(size) for size in sizes]))


def _check_size(points: int) -> None:
    if points > MOST_POINTS:
        raise SweepError(f"the sweep has {points:,} points, more than {MOST_POINTS:,}. Vary less, or sample")


def _sampled_axes(scenario: Scenario, block: Sweep) -> Mapping[str, Axis]:
    """What the block draws; under `priors` without parameters, every value that has a prior."""
    if block.parameters is not None or block.method != "priors":
        return block.parameters or {}
    found = {address: Axis(prior=True) for address in priors(scenario)}
    if not found:
        raise SweepError("no value of the scenario has a prior. Add parameters to the sweep")
    return found


def _sampled(scenario: Scenario, block: Sweep, axes: Mapping[str, Axis]) -> list[Point]:
    """Points from numbers between 0 and 1, one column for each address."""
    n = block.points or 1
    if block.method == "latin_hypercube":
        u = latin_hypercube(n, len(axes), block.seed)
    elif block.method == "sobol":
        u = sobol(n, len(axes), block.seed)
    else:
        u = correlated(n, correlation_matrix(block, list(axes)), block.seed)
    columns = [drawn(axis, place, scenario, u[:, k]) for k, (place, axis) in enumerate(axes.items())]
    return [dict(zip(axes, row, strict=True)) for row in zip(*columns, strict=True)]


def latin_hypercube(n: int, dimensions: int, seed: int) -> Floats:
    """Points with one in each of n equal strata of every dimension, (n, dimensions).

    With n = odd · 2^k, a hypercube of `odd` points is doubled k times: every stratum is halved, the points that are
    there keep their half and new ones take the others, in random order. So the first n of 2n points are the n.

    References
    ----------
    Qian (2009), Nested Latin hypercube designs, doi:10.1093/biomet/asp045.
    """
    size = n
    while size % 2 == 0:
        size //= 2
    rng = np.random.default_rng([seed, size])
    places = rng.permuted(np.tile(np.arange(size), (dimensions, 1)), axis=1).T
    points = (places + rng.random((size, dimensions))) / size
    while size < n:
        taken = np.minimum(np.floor(points * 2 * size).astype(np.int64), 2 * size - 1)
        free = np.stack([np.setdiff1d(np.arange(2 * size), column) for column in taken.T])
        rng = np.random.default_rng([seed, size, 2])
        new = (rng.permuted(free, axis=1).T + rng.random((size, dimensions))) / (2 * size)
        points, size = np.concatenate([points, new]), 2 * size
    return points


def sobol(n: int, dimensions: int, seed: int) -> Floats:
    """The first n points of a scrambled Sobol' sequence, (n, dimensions)."""
    from scipy.stats import qmc

    engine = qmc.Sobol(dimensions, scramble=True, seed=seed)
    return np.asarray(engine.random_base2(max(n - 1, 1).bit_length())[:n])


def correlated(n: int, matrix: Floats, seed: int) -> Floats:
    """Random numbers between 0 and 1 with a Gaussian copula of this correlation matrix, (n, dimensions)."""
    from scipy.special import ndtr

    z = np.random.default_rng(seed).standard_normal((n, len(matrix)))
    return np.asarray(ndtr(z @ np.linalg.cholesky(matrix).T))


def correlation_matrix(block: Sweep, addresses: list[str]) -> Floats:
    """The correlations of the block as a matrix.

    Raises
    ------
    SweepError
        A correlation of something that is not drawn, or a matrix that is not positive definite.
    """
    matrix = np.eye(len(addresses))
    for pair in block.correlations or []:
        for address in pair.between:
            if address not in addresses:
                raise SweepError(f"{address} is correlated but not drawn. Name it among the parameters")
        i, j = map(addresses.index, pair.between)
        matrix[i, j] = matrix[j, i] = pair.value.value
    if np.linalg.eigvalsh(matrix)[0] <= 1e-10:
        raise SweepError("no distribution has these correlations: their matrix is not positive definite. Lower some")
    return matrix


def _ensemble(scenario: Scenario, block: Sweep) -> list[Point]:
    """The first so many vectors of the catalog's ensemble, at their addresses in this scenario."""
    from simulator.studies.calibrate.apply import drawn_settings

    return [dict(settings) for settings in drawn_settings(scenario, block.points or 1)]
