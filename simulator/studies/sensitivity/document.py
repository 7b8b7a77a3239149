"""What a sensitivity analysis found, as one document: in Python, as JSON, as a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

from simulator.results.kinds import SENSITIVITY, Kind
from simulator.results.study import DocumentResult
from simulator.studies.outcome import OUTCOMES, OutcomeRequest
from simulator.studies.sensitivity.methods import Effect, Findings, Influence, Range
from simulator.studies.sensitivity.over_draws import Option, Share, Worth
from simulator.studies.sensitivity.points import Plan
from simulator.units import minus
from simulator.version import __version__

if TYPE_CHECKING:
    import xarray

    from simulator.language import Scenario

ROWS: dict[str, Any] = {"oneway": Range, "sobol": Influence, "morris": Effect, "ensemble": Share, "evpi": Worth}
NOTICE = "It explains the model, not the disease. A simulated benefit is not proven."


@dataclass(frozen=True)
class Sensitivity(DocumentResult):
    """An analysis. `rows` are named tuples, one for each parameter, the most influential first (see `ROWS`).

    `figures` are of the whole; `options` those of a decision; `warning` is to be known first.
    `plot` draws: `found.plot.tornado().save("a.svg")`.
    """

    method: str
    title: str
    scenario_name: str
    scenario_sha256: str
    engine_version: str
    outcome: str
    arm: str
    against: str
    day: float
    label: str
    unit: str
    digits: int
    patients: int
    replicates: int
    random_numbers: str
    seed: int
    points: int
    figures: dict[str, float]
    rows: list[Any]
    options: list[Any]
    scenario: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    notice: str = NOTICE
    warning: str = ""

    kind: ClassVar[Kind] = SENSITIVITY
    table_file: ClassVar[str] = "sensitivity.csv"

    @property
    def data(self) -> xarray.Dataset:
        """Its table as an `xarray.Dataset` along `parameter`."""
        found: xarray.Dataset = self.summary().set_index("name").rename_axis("parameter").to_xarray()
        return found.assign_attrs({key: value for key, value in self.figures.items() if math.isfinite(value)})

    def table(self) -> tuple[Sequence[str], Iterable[Iterable[Any]]]:
        """A row for each parameter, the most influential first; see `ROWS`.

        Returns
        -------
        tuple
            Heads; rows in their order.
        """
        return ROWS[self.method]._fields, self.rows

    def content(self) -> dict[str, Any]:
        """As plain data; what has no value is null.

        Returns
        -------
        dict
            For JSON.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {"format": self.kind.format} | values
        for key in ("rows", "options"):
            plain[key] = [row._asdict() for row in values[key]]
        found: dict[str, Any] = _without_nan(plain)
        return found

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> Sensitivity:
        """The analysis of a document that was checked.

        Parameters
        ----------
        content : dict
            What `content` gave, without its format.

        Returns
        -------
        Sensitivity
            As it was saved.
        """
        rows = [_row(ROWS[content["method"]], row) for row in content["rows"]]
        options = [_row(Option, row) for row in content["options"]]
        figures = {key: _number(value) for key, value in content["figures"].items()}
        return cls(**{**content, "rows": rows, "options": options, "figures": figures})

    def _repr_html_(self) -> str:
        table = self.summary().to_html(index=False, float_format="%.4g", border=0)
        unit = f", {escape(self.unit)}" if self.unit else ""
        head = f"<h4>{escape(self.title)}</h4><p>{escape(self.label)}{unit}</p>"
        return minus(f"<div>{head}{table}<p><small>{escape(self.notice)}</small></p></div>")

    def row(self, name: str) -> Any:
        """The row of a parameter.

        Parameters
        ----------
        name : str
            Address of the parameter.

        Returns
        -------
        object
            Its figures by name; those of the method.
        """
        return next(row for row in self.rows if row.name == name)


def document(
    scenario: Scenario, asked: OutcomeRequest, plan: Plan, found: Findings, arguments: dict[str, Any]
) -> Sensitivity:
    """The document of what an analysis found; `arguments` are what a replay calls it with, `method` among them."""
    method = str(arguments["method"])
    row = OUTCOMES[asked.outcome]
    unit = asked.unit or (scenario.decision.currency if scenario.decision else "")
    return Sensitivity(
        method,
        scenario.title,
        scenario.name,
        scenario.sha256,
        __version__,
        asked.outcome,
        asked.arm if method != "evpi" else "",
        asked.against,
        asked.day,
        asked.title if method != "evpi" else f"{row.label} until day {asked.day:g}",
        unit,
        row.digits,
        plan.patients,
        plan.replicates,
        "independent" if plan.independent else "common",
        plan.seed,
        found.points,
        found.figures,
        found.rows,
        found.options,
        scenario.resolved_yaml(),
        arguments,
        warning=found.warning,
    )


def _row(kind: Any, row: dict[str, Any]) -> Any:
    return kind(**{key: _number(value) for key, value in row.items()})


def _number(value: Any) -> Any:
    return math.nan if value is None else value


def _without_nan(value: Any) -> Any:
    """Plain data in which a number without a value is None."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    return [_without_nan(one) for one in value] if isinstance(value, list) else value
