"""The report of a data set of real people: one HTML file that works offline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from simulator.datasets import Dataset
from simulator.report import style
from simulator.report.captions import Figure, figure
from simulator.report.plots.analysed import kaplan_meier
from simulator.report.plots.courses import draw
from simulator.report.rendering import rendered
from simulator.results.files import text_writer, write_all
from simulator.results.notices import OF_PEOPLE
from simulator.studies.data_summary import followed, summary
from simulator.tables.numbers import fixed
from simulator.tables.table import Table
from simulator.units import how_many

NONE = "–"


class DataPage(NamedTuple):
    """All of the report: `answer` and `main` stand first, under `head`; `notes` say what was set aside or computed."""

    title: str
    lead: str
    notice: str
    notes: list[str]
    pictures: list[Figure]
    tables: list[Table]
    head: str = ""
    answer: Sequence[str] = ()
    main: Sequence[Table] = ()


def write_data_report(data: Dataset, path: Path) -> Path:
    """Write the report of a data set to a file, atomically."""
    write_all(path.parent, [(path.name, text_writer(rendered("data.html.j2", data_content(data), data.made_from)))])
    return path


def data_content(data: Dataset) -> DataPage:
    """What stands in the report: courses, survival, people, visits."""
    found = summary(data)
    arms = ", ".join(f"{arm} {n:,}" for arm, n in found["arms"].items())
    with style.page(style.NARROW), style.drawing():
        pictures = [figure(f"courses-{name}", draw(data, name).svg()) for name in data.measurements]
        ends = [followed(data, name) for name in data.endpoints]
        pictures += [figure(f"free-{one.endpoint}", kaplan_meier(one).svg()) for one in ends if one.day > 0]
    notes = [str(note) for note in data.notes]
    return DataPage(
        data.name,
        f"{how_many(data.n, 'participants')}: {arms}.",
        OF_PEOPLE,
        notes,
        pictures,
        list(_tables(found, data)),
    )


def _tables(found: Mapping[str, Any], data: Dataset) -> Iterator[Table]:
    if data.files:
        yield Table("Files", ["", "SHA-256"], [list(row) for row in data.files])
    if found["people"]:
        rows = [[row["what"], str(row["known"]), *map(_cell, row["arms"].values())] for row in found["people"]]
        yield Table("People: counts, or mean (SD)", ["", "known", *found["arms"]], rows)
    for name, visits in found["visits"].items():
        rows = [
            [
                "no planned day" if row["day"] is None else f"day {row['day']:g}",
                *(str(row[key]) for key in ("measured", "alive")),
                *(_number(row[key]) for key in ("mean", "sd")),
            ]
            for row in visits
        ]
        yield Table(f"{name} by visit", ["", "measured", "of those not known to be dead", "mean", "SD"], rows)


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{_number(value[0])} ({_number(value[1])})"


def _number(value: float | None) -> str:
    return NONE if value is None else fixed(value, 1)
