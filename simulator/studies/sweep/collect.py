"""All points of a sweep as one set of arrays with the leading dimension `point`.

The estimates are made here from the integer sums of all points at once, by the code that makes those of a single run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from simulator.engine import sums as engine
from simulator.execution.encoding import Packed
from simulator.program.scenario import summed
from simulator.results import arrays
from simulator.results.arrays import Group, Named
from simulator.results.summary import estimates, systems
from simulator.run import SUMMED
from simulator.studies.sweep.work import ENDED, HEADS, MOMENTS, RESTRICTED, SERIOUS, STAGES

STATES = ("done", "failed")
Systems = dict[str, tuple[str, ...]]


class Shape(NamedTuple):
    """What points must share to be worked on together."""

    arms: tuple[str, ...]
    days: tuple[int, ...]
    staged: bool
    has_events: bool
    outputs: tuple[str, ...]

    def has(self, name: str) -> bool:
        """Whether the model has this variable."""
        return name in self.outputs


def collect(packed: Sequence[Packed], patients: int, replicates: int) -> Group:
    """The estimates of all points.

    Points may differ in arms, days and model: the result has all of them, NaN where a point has none, or has failed.

    Returns
    -------
    Group
        Arrays with dimensions point, replicate (where there are several), then those of a single run's summary.
    """
    done = [k for k, one in enumerate(packed) if not one.message]
    alike: dict[Shape, list[int]] = {}
    for k in done:
        alike.setdefault(_shape(packed[k]), []).append(k)
    arms = tuple(dict.fromkeys(arm for shape in alike for arm in shape.arms))
    days = np.array(sorted({day for shape in alike for day in shape.days}), np.float64)
    found: Group = {}
    for shape, members in alike.items():
        group = estimates(_sums([packed[k] for k in members], patients, shape.outputs), shape.has)
        where = {
            "point": np.array(members),
            "arm": np.array([arms.index(arm) for arm in shape.arms]),
            "time": np.searchsorted(days, shape.days),
        }
        whole = len(members) == len(packed) and len(alike) == 1
        sizes = {"point": len(packed), "arm": len(arms), "time": len(days)}
        for name, array in group.items():
            _place(found, name, array, (where, sizes, whole, replicates))
    staged = systems(lambda name: any(shape.staged and shape.has(name) for shape in alike))
    return _coordinates(arms, days, len(packed), replicates, staged) | found


def _shape(one: Packed) -> Shape:
    header, sums = one.header, one.arrays
    optional = STAGES in sums, SERIOUS in sums
    return Shape(tuple(header["arms"]), tuple(sums["time"].tolist()), *optional, tuple(header["outputs"]))


def _sums(members: Sequence[Packed], patients: int, outputs: tuple[str, ...]) -> SimpleNamespace:
    """The sums of points that are alike, with leading dimensions point and replicate, as results read them."""

    def stacked(name: str) -> np.ndarray:
        return np.stack([one.arrays[name] for one in members])

    def optional(name: str) -> np.ndarray | None:
        return stacked(name) if name in members[0].arrays else None

    heads, moments, restricted = (stacked(name) for name in (HEADS, MOMENTS, RESTRICTED))
    table = _table(outputs)
    return SimpleNamespace(
        alive=heads[..., engine.ALIVE],
        event_free=heads[..., engine.EVENT_FREE],
        total=moments[..., engine.TOTAL],
        square=moments[..., engine.SQUARE],
        counts=np.zeros((*moments.shape[:-1], 0), np.int32),
        stages=optional(STAGES),
        serious=optional(SERIOUS),
        ended=stacked(ENDED),
        restricted=restricted[..., 0],
        restricted_square=restricted[..., 1],
        n_patients=patients,
        scale=table[:, engine.SCALE].astype(np.float64),
        square_scale=table[:, engine.SQUARE_SCALE].astype(np.float64),
        low=table[:, engine.LOW].astype(np.float64),
        width=table[:, engine.WIDTH].astype(np.float64),
        restricted_scale=engine.TIME_SCALE,
        restricted_square_scale=engine.TIME_SQUARE_SCALE,
    )


@cache
def _table(outputs: tuple[str, ...]) -> np.ndarray:
    """What is summed of a model with these outputs."""
    return summed(row for row in SUMMED if row[0] in outputs)


def _place(found: Group, name: str, array: Named, where: tuple[Any, ...]) -> None:
    """Put the estimates of some points where they belong among all."""
    places, sizes, whole, replicates = where
    dims = ("point", "replicate", *array.dims)
    values = array.values
    if replicates == 1:
        dims, values = ("point", *array.dims), values[:, 0]
    if whole:
        found[name] = Named(dims, values, array.attrs)
        return
    if name not in found:
        shape = [sizes.get(dim, size) for dim, size in zip(dims, values.shape, strict=True)]
        found[name] = Named(dims, np.full(shape, np.nan), array.attrs)
    index = [places.get(dim, np.arange(size)) for dim, size in zip(dims, values.shape, strict=True)]
    found[name].values[np.ix_(*index)] = values


def _coordinates(arms: tuple[str, ...], days: np.ndarray, points: int, replicates: int, staged: Systems) -> Group:
    """Labels of the dimensions."""
    number = {"units": "1", "long_name": "number of the point"}
    found: Group = {"point": Named(("point",), np.arange(points, dtype=np.int32), number)}
    if replicates > 1:
        label = {"units": "1", "long_name": "replicate: other people, the same in every point"}
        found["replicate"] = Named(("replicate",), np.arange(replicates, dtype=np.int32), label)
    found |= arrays.arm_coordinate(arms) | arrays.time_coordinates(days) | arrays.ending_coordinate()
    return found | arrays.stage_coordinates(staged)


def parameters(
    points: Sequence[Mapping[str, Any]], addresses: Sequence[str], own: Mapping[str, Any], failed: Sequence[bool]
) -> Group:
    """What each point sets, an array for each address, and whether the point is done; all along `point`.

    `own` : what the scenario itself has at an address, for the points that leave it alone.
    """
    found: Group = {}
    for address in addresses:
        values = [point.get(address, own.get(address)) for point in points]
        name = address.replace("/", "|")  # netCDF's paths
        found[name] = Named(("point",), _column(values), {"units": "1", "long_name": address})
    state = np.array([STATES[int(one)] for one in failed])
    return found | {"state": Named(("point",), state, {"units": "1", "long_name": "whether the point is done"})}


def _column(values: Sequence[Any]) -> np.ndarray:
    """Numbers as numbers, NaN where there is none; anything else as text."""
    if all(isinstance(one, int) and not isinstance(one, bool) for one in values):
        return np.array(values, np.int64)
    if all(one is None or (isinstance(one, (int, float)) and not isinstance(one, bool)) for one in values):
        return np.array([np.nan if one is None else one for one in values], np.float64)
    texts = ["" if one is None else one if isinstance(one, str) else json.dumps(one) for one in values]
    return arrays.names_of(tuple(texts))
