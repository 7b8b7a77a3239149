"""What a sensitivity analysis found, as one document: in Python, as JSON, as a table."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.accessors import Accessor
from simulator.results.errors import ResultError
from simulator.results.files import text_writer, write_all
from simulator.results.tidy import csv_text
from simulator.studies.opening import SENSITIVITY_FILE as FILE
from simulator.studies.outcome import OUTCOMES, Asked
from simulator.studies.sensitivity.methods import Effect, Found, Influence, Range
from simulator.studies.sensitivity.over_draws import Option, Share, Worth
from simulator.studies.sensitivity.points import Plan
from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.language import Scenario

FORMAT = "als-simulator sensitivity 1"
TABLE = "sensitivity.csv"
ROWS: dict[str, Any] = {"oneway": Range, "sobol": Influence, "morris": Effect, "ensemble": Share, "evpi": Worth}
NOTICE = "It explains the model, not the disease. A simulated benefit is not proven."


@dataclass(frozen=True)
class Sensitivity:
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
    notice: str = NOTICE
    warning: str = ""

    plot = Accessor()

    def content(self) -> dict[str, Any]:
        """As plain data; what has no value is null."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {"format": FORMAT} | values
        for key in ("rows", "options"):
            plain[key] = [row._asdict() for row in values[key]]
        found: dict[str, Any] = _without_nan(plain)
        return found

    def write(self, folder: Path) -> None:
        """Write `sensitivity.json` and `sensitivity.csv`."""
        text = json.dumps(self.content(), indent=1, ensure_ascii=False) + "\n"
        table = csv_text(ROWS[self.method]._fields, self.rows)
        write_all(folder, [(FILE, text_writer(text)), (TABLE, text_writer(table))])

    def row(self, name: str) -> Any:
        """The row of a parameter."""
        return next(row for row in self.rows if row.name == name)


def document(scenario: Scenario, method: str, asked: Asked, plan: Plan, found: Found) -> Sensitivity:
    """The document of what an analysis found."""
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
        warning=found.warning,
    )


def open_sensitivity(path: str | Path) -> Sensitivity:
    """Read an analysis from its folder or file.

    Raises
    ------
    ResultError
        There is none, or it is damaged.
    """
    place = Path(path)
    place = place / FILE if place.is_dir() else place
    try:
        data = json.loads(place.read_text("utf-8"))
        if data.pop("format") != FORMAT:
            raise ResultError(f"{place}: not a sensitivity analysis of this program ({FORMAT!r})")
        data["rows"] = [_row(ROWS[data["method"]], row) for row in data["rows"]]
        data["options"] = [_row(Option, row) for row in data["options"]]
        data["figures"] = {key: _number(value) for key, value in data["figures"].items()}
        return Sensitivity(**data)
    except FileNotFoundError:
        raise ResultError(f"{place}: there is no such file; `als-sim sensitivity SCENARIO -o DIR` makes one") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultError(f"{place}: cut short or damaged: {error}") from error


def is_sensitivity(folder: Path) -> bool:
    """Whether a folder holds an analysis."""
    return (folder / FILE).is_file()


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
