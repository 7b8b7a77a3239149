"""What a sweep found out: every point's estimates in one Dataset, outcomes with their errors, the failed points."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.results import GroupedResult, Result, netcdf
from simulator.results.arrays import Group, Named, dataset
from simulator.results.files import Writer, text_writer
from simulator.results.kinds import SWEEP
from simulator.tables.files import csv_text

if TYPE_CHECKING:
    import xarray

    from simulator.studies.sweep.outcomes import Outcome, OutcomeChoice

LIST = "points.csv"
ALONG_POINT = ("point",)


class Failure(NamedTuple):
    """A point that could not be simulated, what it set, and why."""

    point: int
    settings: dict[str, Any]
    message: str


class Sweep(GroupedResult):
    """The points of a sweep. `group` holds the arrays by name, `attrs` says what was run.

    `data` is one `xarray.Dataset` with dimension `point` and, along it, every address as a coordinate.
    """

    kind, fast = SWEEP, True

    @property
    def group(self) -> Group:
        """The arrays by name."""
        return self.groups[netcdf.ROOT]

    @cached_property
    def data(self) -> xarray.Dataset:  # type: ignore[override]
        """Everything as an `xarray.Dataset`."""
        made = dataset(self.group)
        made.attrs.update(self.attrs)
        return made

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the reader must know: which points failed."""
        return tuple(f"point {one.point} failed: {one.message}" for one in self.failures)

    def table(self) -> tuple[Sequence[str], Iterable[Iterable[Any]]]:
        """Its outcomes, a row for each point and outcome: what the point set, the metric, estimate and error.

        Returns
        -------
        tuple
            Heads; rows in their order.
        """
        columns = [self.values(address).tolist() for address in self.addresses]
        rows = [
            (point, *(column[point] for column in columns), *one.wanted[:4], one.unit, float(value), float(error))
            for one in self.outcomes()
            for point, (value, error) in enumerate(zip(one.estimate, one.mcse, strict=True))
        ]
        return ("point", *self.addresses, "metric", "arm", "against", "day", "unit", "estimate", "mcse"), rows

    def files(self) -> list[tuple[str, Writer]]:
        """The files of its folder: the list of points too, with the state of each.

        Returns
        -------
        list of (str, callable)
            Name and writer of each.
        """
        return [*super().files(), (LIST, text_writer(csv_text(*self.points_table())))]

    def points_table(self) -> tuple[Sequence[str], Iterable[Iterable[Any]]]:
        """A row for each point: its number, what it set, whether it is done, why not.

        Returns
        -------
        tuple
            Heads; rows in their order.
        """
        why = {failure.point: failure.message for failure in self.failures}
        columns = [self.values(address).tolist() for address in self.addresses]
        rows = [
            (
                number,
                *(column[number] for column in columns),
                "failed" if number in why else "done",
                why.get(number, ""),
            )
            for number in range(self.n_points)
        ]
        return ("point", *self.addresses, "state", "message"), rows

    def provenance(self) -> dict[str, Any]:
        """What the manifest says: how many points there are, and how many failed.

        Returns
        -------
        dict
            Plain data, for JSON.
        """
        return super().provenance() | {"points": self.n_points, "failed": len(self.failures)}

    @property
    def n_points(self) -> int:
        """Number of points, failed ones too."""
        return len(self.group["point"].values)

    @property
    def n_patients(self) -> int:
        """Patients of each arm in each replicate of a point."""
        return int(self.attrs["n_patients"])

    @property
    def replicates(self) -> int:
        """Replicates of each point."""
        return int(self.attrs["replicates"])

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms of all points."""
        return tuple(str(name) for name in self.group["arm"].values)

    @property
    def time(self) -> np.ndarray:
        """Days since baseline."""
        return self.group["time"].values

    @property
    def addresses(self) -> tuple[str, ...]:
        """What was varied."""
        return tuple(json.loads(self.attrs["addresses"]))

    def label(self, address: str) -> str:
        """The name of what was varied: the scenario's, or the last words of the address.

        Parameters
        ----------
        address : str
            One that was varied.

        Returns
        -------
        str
            For a column or an axis.
        """
        from simulator.studies.sweep.text import short

        return str(json.loads(self.attrs["labels"]).get(address) or short(address))

    @property
    def points(self) -> list[dict[str, Any]]:
        """What each point set; what it left alone is there as the scenario has it."""
        columns = {address: self.values(address).tolist() for address in self.addresses}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    @property
    def failures(self) -> list[Failure]:
        """Points that failed."""
        return [Failure(*one) for one in json.loads(self.attrs["failures"])]

    def values(self, address: str) -> np.ndarray:
        """What an address was in each point : (n_points,), sections as JSON.

        Parameters
        ----------
        address : str
            One that was varied.

        Returns
        -------
        ndarray, shape (n_points,)
            Numbers, or text.
        """
        return self.group[address.replace("/", "|")].values

    def result(self, point: int, replicate: int = 0) -> Result:
        """One point as a result in summary mode, without SDs and quantiles; what a failed point found is NaN.

        Parameters
        ----------
        point : int
            Its number, from 0.
        replicate : int
            Its number, from 0.

        Returns
        -------
        Result
            In summary mode.
        """
        summary = {
            name: _one(array, point, replicate)
            for name, array in self.group.items()
            if array.dims not in (ALONG_POINT, ("replicate",))
        }
        attrs = {**self.attrs, "analysis_days": "[]", "warnings": "[]", "output": "summary"}
        return Result(attrs, {"summary": summary})

    def outcome(self, metric: str, arm: str, against: str = "", day: float | None = None) -> Outcome:
        """A metric of an arm in every point, or its difference from another arm, with Monte Carlo errors.

        Parameters
        ----------
        metric : str
            A metric of the headline (`event_free_months`, `alsfrs_r_change_death0`, …) or a variable of `data` that
            has an error beside it (`alsfrs_r_death0_mean`, `event_free_time_mean`, …).
        arm, against : str
            The outcome is of `arm`, or of `arm` minus `against` in the same people.
        day : float, optional
            Days since baseline; the nearest day that is there. The last by default.

        Returns
        -------
        Outcome
            Estimates and errors : (n_points,), NaN where a point failed.
        """
        from simulator.studies.sweep.outcomes import outcome

        return outcome(self, metric, (arm, against), day)

    def outcomes(self, wanted: Sequence[OutcomeChoice] | None = None) -> list[Outcome]:
        """The outcomes that the scenario's block asks for; without one, the usual ones of every arm.

        Parameters
        ----------
        wanted : sequence, optional
            Metric, arm, arm against it or "", day or None, label or "", of each.

        Returns
        -------
        list of Outcome
            In that order.
        """
        from simulator.studies.sweep.outcomes import outcomes

        return outcomes(self, wanted)

    def __repr__(self) -> str:
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"<Sweep {self.title!r}: {self.n_points} points{failed}, {', '.join(self.addresses)}>"

    def _repr_html_(self) -> str:
        from simulator.studies.sweep.text import html

        return html(self)


def _one(array: Named, point: int, replicate: int) -> Named:
    """The part of an array that belongs to one point."""
    dims, values = array.dims, array.values
    for dim, index in (("point", point), ("replicate", replicate)):
        if dim in dims:
            values = np.take(values, index, axis=dims.index(dim))
            dims = tuple(one for one in dims if one != dim)
    return Named(dims, values, array.attrs)
