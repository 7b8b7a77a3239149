"""Named arrays: a plain numpy stand-in for a dataset, so that a run need not import xarray."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.results.variables import RECORD, STAGES, Variable
from simulator.units import DAYS_PER_MONTH, DAYS_PER_WEEK

if TYPE_CHECKING:
    import xarray

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
ENDINGS = ("none", "death", "pav")
POINT = ("point",)
COORDINATES = frozenset(
    {
        "point",
        "replicate",
        "draw",
        "arm",
        "patient",
        "time",
        "week",
        "month",
        "visit",
        "nominal_day",
        "quantile",
        "ending",
        "kings",
        "mitos",
        "ft9",
        "analysis",
        "analysis_day",
        "side",
        "measure",
        "quantity",
        "size",
        "target",
        "look",
        "claim",
    },
)


class Named(NamedTuple):
    """An array with the names of its dimensions and its attributes."""

    dims: tuple[str, ...]
    values: NDArray[Any]
    attrs: dict[str, Any]


Group = dict[str, Named]
Groups = Mapping[str, Group]


class Lazily(Mapping[str, Group]):
    """Groups that are made when somebody first asks for them: a sweep asks for few."""

    def __init__(self, makers: Mapping[str, Callable[[], Group]]) -> None:
        self._makers = dict(makers)
        self._made: dict[str, Group] = {}

    def __getitem__(self, key: str) -> Group:
        if key not in self._made:
            self._made[key] = self._makers[key]()
        return self._made[key]

    def forget(self, key: str) -> None:
        """Let go of a group; it is made again when somebody asks for it."""
        self._made.pop(key, None)

    def __contains__(self, key: object) -> bool:
        return key in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def is_coordinate(name: str, array: Named) -> bool:
    """Whether the array labels a dimension: the arm of a dose record does not, what a point of a sweep sets does."""
    return array.dims == POINT or (name in COORDINATES and array.dims != RECORD)


def names_of(labels: tuple[str, ...]) -> NDArray[np.str_]:
    """Labels as an array of fixed-width text."""
    return np.array(labels, dtype=f"U{max([len(text) for text in labels], default=1) or 1}")


def described(row: Variable, values: NDArray[Any], labels: Mapping[str, tuple[str, ...]]) -> Named:
    """The array in the type and with the attributes of its row of the table.

    `labels` gives the names behind the codes of a row whose type is "name", "arm" or "kind" (by variable).
    """
    attrs: dict[str, Any] = {"units": row.unit or "1", "long_name": row.long_name}
    if row.dtype == "name":
        return Named(row.dims, names_of(labels[row.name])[np.asarray(values)], attrs)
    coded = row.dtype in ("arm", "kind")
    flags = labels[row.name] if coded else row.flags
    kind = "i1" if coded else row.dtype
    if row.fill is not None:
        kind = "f4"  # codes with a fill value live in memory as numbers with NaN
    if np.isfinite(row.low):
        attrs["valid_min"] = np.dtype(kind).type(row.low)
    if np.isfinite(row.high):
        attrs["valid_max"] = np.dtype(kind).type(row.high)
    if flags:
        attrs["flag_values"] = np.arange(len(flags), dtype=kind)
        attrs["flag_meanings"] = " ".join(flags)
    return Named(row.dims, np.ascontiguousarray(values, dtype=kind), attrs)


def _coordinate(dim: str, values: Any, unit: str, long_name: str) -> Named:
    return Named((dim,), np.asarray(values), {"units": unit, "long_name": long_name})


def arm_coordinate(arms: tuple[str, ...]) -> Group:
    """The names of the arms."""
    return {"arm": _coordinate("arm", names_of(arms), "1", "arm")}


def patient_coordinate(n_patients: int) -> Group:
    """Patient numbers from 0: patient i is the same person in a run of any size."""
    return {"patient": _coordinate("patient", np.arange(n_patients, dtype=np.int32), "1", "patient number")}


def time_coordinates(days: NDArray[np.float64]) -> Group:
    """Days since baseline, with weeks and months beside them; never decoded to a timedelta."""
    days = np.asarray(days, dtype=np.float64)
    return {
        "time": _coordinate("time", days, "d", "days since baseline"),
        "week": _coordinate("time", days / DAYS_PER_WEEK, "weeks", "weeks since baseline"),
        "month": _coordinate("time", days / DAYS_PER_MONTH, "months", "months since baseline"),
    }


def visit_coordinates(days: NDArray[np.float64]) -> Group:
    """Visit numbers from 0 (baseline), with nominal day, week and month."""
    days = np.asarray(days, dtype=np.float64)
    return {
        "visit": _coordinate("visit", np.arange(len(days), dtype=np.int32), "1", "visit number, 0 = baseline"),
        "nominal_day": _coordinate("visit", days, "d", "nominal day of the visit, days since baseline"),
        "week": _coordinate("visit", days / DAYS_PER_WEEK, "weeks", "nominal week of the visit"),
        "month": _coordinate("visit", days / DAYS_PER_MONTH, "months", "nominal month of the visit"),
    }


def quantile_coordinate() -> Group:
    """The quantiles that a summary holds."""
    return {"quantile": _coordinate("quantile", np.array(QUANTILES), "1", "cumulative probability")}


def stage_coordinates(systems: Mapping[str, tuple[str, ...]] = STAGES) -> Group:
    """Names of the stages of each system."""
    named = {name.removesuffix("_stage"): labels for name, labels in systems.items()}
    return {dim: _coordinate(dim, names_of(labels), "1", f"{dim} stage") for dim, labels in named.items()}


def ending_coordinate() -> Group:
    """What can end event-free life."""
    return {"ending": _coordinate("ending", names_of(ENDINGS), "1", "what ended event-free life")}


def dataset(group: Group) -> xarray.Dataset:
    """A group as an `xarray.Dataset`."""
    import xarray

    coordinates = {key: array for key, array in group.items() if is_coordinate(key, array)}
    variables = {key: array for key, array in group.items() if key not in coordinates}
    return xarray.Dataset(_triples(variables), _triples(coordinates))


def _triples(group: Group) -> dict[str, tuple[Any, ...]]:
    return {key: (array.dims, array.values, array.attrs) for key, array in group.items()}
