"""What analyses of real people found: estimates, arms, survival, and the data they are of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.survival import Curve, kaplan_meier
from simulator.analysis.trial.estimate import Estimate
from simulator.analysis.trial.registry import analysis
from simulator.datasets import Note
from simulator.datasets.dataset import sha256_of
from simulator.results.files import Writer, text_writer
from simulator.results.kinds import ANALYSES, Kind
from simulator.results.notices import OF_PEOPLE
from simulator.results.study import DocumentResult
from simulator.results.tidy import csv_text
from simulator.units import minus
from simulator.version import __version__

if TYPE_CHECKING:
    import xarray

TICKS = 6
NUMBERS = ("value", "se", "df", "lower", "upper", "p", "n", "method", "scale")
COLUMNS = ("analysis", "measure", "estimate", "lower", "upper", "p", "n", "left_out", "refused", "method")
TEXTS = ("refused", "method")


class Scored(NamedTuple):
    """(n, v) the change that untreated twins expect at the visits, NaN without twins; what is to be told of it."""

    expected: NDArray[np.float64]
    notes: tuple[Note, ...]


class Row(NamedTuple):
    """What an analysis found, or why it could not: `left_out` participants are not behind the estimate."""

    analysis: str
    measure: str
    estimate: Estimate | None
    refused: str
    left_out: int


class Arm(NamedTuple):
    """An arm: its participants, how many had the event, left before it, were not measured at the last visit."""

    name: str
    participants: int
    events: int
    left: int
    not_measured: int
    mean_days: float
    curve: Curve
    time: np.ndarray
    event: np.ndarray

    def at_risk(self, day: float) -> int:
        """How many are free of the event and under observation on a day."""
        return int((self.time >= day).sum())


class Followed(NamedTuple):
    """Participants who were followed to an event, by arm: what a picture of survival needs."""

    name: str
    endpoint: str
    day: float
    arms: tuple[Arm, ...]
    made_from: str = ""


@dataclass(frozen=True)
class Analysed(DocumentResult):
    """Analyses of a data set: `rows` in the order asked, `arms` experimental and control, `notes` what was left out.

    `day` is the last day that counts; `visit` the planned day of the last visit; `endpoint` is "" where the data have
    no events. `lines` are the data themselves, as tables, and `scored` prognostic scores with what is said of them:
    a replay needs nothing else, and the file is to be kept as the data are. `data_files` are names and checksums of the
    files that the data were read from.
    """

    name: str
    outcome: str
    endpoint: str
    day: float
    visit: float
    rows: tuple[Row, ...]
    arms: tuple[Arm, Arm]
    notes: tuple[Note, ...]
    lines: dict[str, list[str]] = field(default_factory=dict, repr=False)
    arguments: dict[str, Any] = field(default_factory=dict, repr=False)
    data_notes: tuple[Note, ...] = field(default=(), repr=False)
    data_files: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    scored: dict[str, Any] | None = field(default=None, repr=False)
    engine_version: str = __version__
    scenario: str = field(default="", repr=False)
    seed: int = field(default=0, repr=False)

    kind: ClassVar[Kind] = ANALYSES
    table_file: ClassVar[str] = "analyses.csv"

    @property
    def title(self) -> str:  # type: ignore[override]
        """The data and the arms that are compared."""
        return f"{self.name}: {' against '.join(arm.name for arm in self.arms)}"

    @property
    def made_from(self) -> str:
        """Checksum of the files of the data; empty where they were not read from files."""
        return sha256_of(self.data_files)

    @property
    def scenario_name(self) -> str:  # type: ignore[override]
        """The data's name: there is no scenario."""
        return self.name

    @property
    def scenario_sha256(self) -> str:  # type: ignore[override]
        """Checksum of the data: there is no scenario."""
        return sha256(json.dumps(self.lines, sort_keys=True).encode()).hexdigest()

    @property
    def data(self) -> xarray.Dataset:
        """Its table as an `xarray.Dataset` along `analysis`."""
        found: xarray.Dataset = self.summary().set_index("analysis").to_xarray()
        return found

    def table(self) -> tuple[Sequence[str], Iterable[Iterable[Any]]]:
        """A row for each analysis.

        Returns
        -------
        tuple
            Heads; rows in the order asked.
        """
        rows = self.document()["analyses"]
        return COLUMNS, [["" if row[key] is None and key in TEXTS else row[key] for key in COLUMNS] for row in rows]

    def provenance(self) -> dict[str, Any]:
        """What the manifest says of it.

        Returns
        -------
        dict
            Plain data, for JSON.
        """
        sums = {name: sha256("\n".join(lines).encode()).hexdigest() for name, lines in self.lines.items()}
        return super().provenance() | {"data": sums}

    def files(self) -> list[tuple[str, Writer]]:
        """The files of its folder, apart from the manifest.

        Returns
        -------
        list of (str, callable)
            Name and writer of each.
        """
        return [(self.kind.file, self.writer()), (self.table_file, text_writer(csv_text(*self.table())))]

    def content(self) -> dict[str, Any]:
        """As plain data.

        Returns
        -------
        dict
            What the JSON document holds, without its checksum.
        """
        stored = {
            "lines": self.lines,
            "arguments": self.arguments,
            "data_notes": [[*note] for note in self.data_notes],
            "scored": self.scored,
            "engine_version": self.engine_version,
            "estimates": [_stored(row) for row in self.rows],
            "followed": [[arm.time.tolist(), arm.event.tolist()] for arm in self.arms],
        }
        found: dict[str, Any] = _plain({"format": self.kind.format, **self.document(), "stored": stored})
        return found

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> Analysed:
        """The analyses of a document that was checked.

        Parameters
        ----------
        content : dict
            What `content` gave.

        Returns
        -------
        Analysed
            As they were saved.
        """
        return _read(content, content["stored"])

    @property
    def days(self) -> list[float]:
        """Days of the table of survival, the last of follow-up among them."""
        return [round(one, 6) for one in np.linspace(0, self.day, TICKS + 1).tolist()]

    def document(self) -> dict[str, Any]:
        """Everything as plain data.

        Returns
        -------
        dict
            Data, estimates, survival and notes, for JSON.
        """
        return {
            "data": self.name,
            "files": [{"name": name, "sha256": digest} for name, digest in self.data_files],
            "experimental": self.arms[0].name,
            "control": self.arms[1].name,
            "outcome": self.outcome,
            "endpoint": self.endpoint or None,
            "day": self.day,
            "visit": self.visit,
            "analyses": [_as_data(row, self.endpoint) for row in self.rows],
            "arms": [_arm_as_data(arm, self.days) for arm in self.arms],
            "notes": [note._asdict() for note in self.notes],
            "notice": OF_PEOPLE,
        }

    def _repr_html_(self) -> str:
        from html import escape

        cells = ("analysis", "estimate", "lower", "upper", "p", "n", "left_out")
        body = ""
        for row in self.document()["analyses"]:
            texts = [f"{row[key]:.4g}" if isinstance(row[key], float) else str(row[key]) for key in cells]
            body += "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in texts) + "</tr>"
        head = "".join(f"<th>{escape(key)}</th>" for key in cells)
        arms = " against ".join(escape(arm.name) for arm in self.arms)
        notes = "".join(f"<li>{escape(str(note))}</li>" for note in self.notes)
        table = f"<table><tr>{head}</tr>{body}</table>"
        return minus(f"<h4>{escape(self.name)}: {arms}</h4>{table}<ul>{notes}</ul><p>{OF_PEOPLE}</p>")


def _stored(row: Row) -> dict[str, Any] | None:
    return None if row.estimate is None else {name: getattr(row.estimate, name) for name in NUMBERS}


def _plain(value: Any) -> Any:
    """Plain data without numbers that JSON does not know."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _read(content: Mapping[str, Any], stored: Mapping[str, Any]) -> Analysed:
    """The analyses of a document that was checked."""
    rows = []
    for told, one in zip(content["analyses"], stored["estimates"], strict=True):
        estimate = None
        if one is not None:
            numbers = {**one, "df": np.inf if one["df"] is None else one["df"]}
            estimate = Estimate(**numbers, estimand=analysis(told["analysis"]).estimand)
        rows.append(Row(told["analysis"], told["measure"], estimate, told["refused"] or "", told["left_out"]))
    one, two = (
        arm_of(arm["name"], np.array(time, np.float64), np.array(event, np.bool_), content["day"])._replace(
            not_measured=arm["not_measured"]
        )
        for arm, (time, event) in zip(content["arms"], stored["followed"], strict=True)
    )
    return Analysed(
        content["data"],
        content["outcome"],
        content["endpoint"] or "",
        content["day"],
        content["visit"],
        tuple(rows),
        (one, two),
        tuple(Note(**note) for note in content["notes"]),
        lines=stored["lines"],
        arguments=stored["arguments"],
        data_notes=tuple(Note(*note) for note in stored["data_notes"]),
        data_files=tuple((one["name"], one["sha256"]) for one in content["files"]),
        scored=stored["scored"],
        engine_version=stored["engine_version"],
    )


def _as_data(row: Row, endpoint: str) -> dict[str, Any]:
    """An analysis as plain data; the interval is on the scale that people quote."""
    from simulator.studies.trial.estimands import estimated_by, told

    found: dict[str, Any] = {"analysis": row.analysis, "measure": row.measure, "refused": row.refused or None}
    one = row.estimate
    keys = ("estimate", "lower", "upper", "se", "scale", "df", "p", "n", "method")
    if one is None:
        found |= dict.fromkeys(keys)
    else:
        value, lower, upper = one.natural
        df = one.df if np.isfinite(one.df) else None
        found |= dict(zip(keys, (value, lower, upper, one.se, one.scale, df, one.p, one.n, one.method), strict=True))
    return found | {"left_out": row.left_out, "estimand": told(estimated_by(row.analysis, endpoint))}


def _arm_as_data(arm: Arm, days: Sequence[float]) -> dict[str, Any]:
    counts = {key: getattr(arm, key) for key in ("name", "participants", "events", "left", "not_measured", "mean_days")}
    curve = [{"day": day, "free": survival(arm.curve, day), "at_risk": arm.at_risk(day)} for day in days]
    return {**counts, "survival": curve}


def survival(curve: Curve, day: float) -> float:
    """The probability to be free of the event on a day."""
    k = int(np.searchsorted(curve.time, day, side="right"))
    return float(curve.survival[k - 1]) if k else 1.0


def arm_of(name: str, time: np.ndarray, event: np.ndarray, end: float) -> Arm:
    """An arm from its times and events."""
    left = int((~event & (time < end)).sum())
    return Arm(name, len(time), int(event.sum()), left, 0, float(time.mean()), kaplan_meier(time, event), time, event)
