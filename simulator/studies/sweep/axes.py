"""What one address takes: listed values, or a number from a uniform one by the inverse of a distribution function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.language.faults import Path, address
from simulator.quantities import Distribution, Part, Prior, Quantity
from simulator.studies.sweep.errors import SweepError

if TYPE_CHECKING:
    from simulator.language import Scenario
    from simulator.language.blocks.sweep import Axis

Floats = NDArray[np.float64]
EDGE = 2.0**-33


def listed(axis: Axis) -> list[Any]:
    """The values of an axis that names them one by one."""
    if axis.values is not None:
        return list(axis.values)
    assert axis.low is not None
    assert axis.high is not None
    assert axis.count is not None
    return _plain(axis, np.linspace(axis.low.value, axis.high.value, axis.count))


def drawn(axis: Axis, place: str, scenario: Scenario, u: Floats) -> list[Any]:
    """The values of an axis at numbers from 0 to 1 : (n,), by the inverse of its distribution function.

    Raises
    ------
    SweepError
        The axis says `prior`, but the value at its address has none.
    """
    if axis.low is not None and axis.high is not None:
        return _plain(axis, axis.low.value + (axis.high.value - axis.low.value) * u)
    shape: Any = axis
    if axis.prior:
        shape = priors(scenario).get(place)
        if shape is None:
            raise SweepError(f"{place} has no prior in the scenario. Write a distribution in place of `prior`")
    return _plain(axis, inverse(shape, u))


def inverse(shape: Axis | Prior, u: Floats) -> Floats:
    """Inverse of the distribution function, clipped where the distribution is."""
    if shape.uniform is not None:
        low, high = shape.uniform.low.value, shape.uniform.high.value
        return low + (high - low) * u
    from scipy.special import ndtri

    z = ndtri(np.clip(u, EDGE, 1 - EDGE))
    if shape.lognormal is not None:
        one = shape.lognormal
        return np.clip(one.median.value * np.exp(one.log_sd.value * z), *_limits(one))
    assert shape.normal is not None
    return np.clip(shape.normal.mean.value + shape.normal.sd.value * z, *_limits(shape.normal))


def _limits(shape: Any) -> tuple[float, float]:
    low = -np.inf if shape.low is None else shape.low.value
    return low, np.inf if shape.high is None else shape.high.value


def _plain(axis: Axis, values: Floats) -> list[Any]:
    """Numbers of Python; whole ones where the axis asks for them."""
    return [int(x) for x in np.rint(values)] if axis.whole else [float(x) for x in values]


def with_complements(axes: Mapping[str, Axis], point: Mapping[str, Any]) -> dict[str, Any]:
    """The point with 1 minus a value at each complement."""
    full = dict(point)
    for place, axis in axes.items():
        if axis.complement is not None:
            full[axis.complement] = 1 - full[place]
    return full


def priors(scenario: Scenario) -> dict[str, Prior]:
    """Every value of the scenario that has a prior, by its address, in the order of the scenario."""
    return {address(path): one.prior for path, one in _quantities(scenario, ()) if one.prior is not None}


def _quantities(node: Any, path: Path) -> Iterator[tuple[Path, Quantity]]:
    """Every quantity below a node, with its path in the complete form."""
    if isinstance(node, Distribution) and node.number is not None:
        node = node.number
    if isinstance(node, Quantity):
        yield path, node
    elif isinstance(node, Part):
        for key in type(node).model_fields:
            if (path, key) != ((), "sweep"):
                yield from _quantities(getattr(node, key), (*path, key))
    elif isinstance(node, (dict, list)):
        for step, part in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _quantities(part, (*path, step))
