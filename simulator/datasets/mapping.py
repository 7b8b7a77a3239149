"""Any tables, with a YAML file that says which column is what, in which unit, and what its codes mean.

participants:
  file: people.csv
  columns:
    id: PatientNo
    arm: {column: Group, codes: {A: drug, P: placebo}}
    followup: {column: months, unit: month}
    died: {column: status, codes: {1: no, 2: yes}}
    covariates: {log_nfl: LNFL}
measurements:
  - file: visits.csv
    columns: {id: PatientNo, planned_day: {column: month, unit: month}, alsfrs_r: Total}
events:
  file: events.csv
  columns: {id: PatientNo, endpoint: which, time: {column: when, unit: day}, event: happened}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from simulator.datasets.building import ENDS, TEXTS, Parts, build, need
from simulator.datasets.dataset import Dataset, Note
from simulator.datasets.faults import Faults, Place, fail
from simulator.datasets.files import Named, note_read, read_table
from simulator.datasets.repeated import one_row_each
from simulator.datasets.tables import PER_UNIT, Column, Table
from simulator.datasets.variables import VARIABLES

PEOPLE = (
    "id",
    *TEXTS,
    "age",
    "died",
    "since_onset",
    "onset_day",
    "baseline",
    *ENDS,
    "treatment_start",
    "treatment_end",
)
MEASURED = ("id", "day", "planned_day", "variable", "value", *VARIABLES)
TIMED = ("id", "endpoint", "time", "event", "censoring")
UNITS = (*PER_UNIT, "study_day", "date")
SECTIONS = {"participants": PEOPLE, "measurements": MEASURED, "events": TIMED}
LARGEST = 1_000_000


class Marked(NamedTuple):
    """A value of the YAML file and where it stands."""

    value: Any
    line: int
    column: int


def read_mapping(path: Path) -> Mapping[str, Marked]:
    """The sections of the file.

    Raises
    ------
    DataError
        The file is no YAML, or not a mapping.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if not path.is_file():
        fail(str(path), 1, "", "there is no such file", "Check its name")
    if path.stat().st_size > LARGEST:
        fail(path.name, 1, "", "the file is larger than 1 MB", "A mapping has a few lines")
    try:
        node = YAML(typ="safe", pure=True).compose(path.read_text(encoding="utf-8-sig"))
    except (MarkedYAMLError, YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        words = str(getattr(error, "problem", "") or "it cannot be read")
        fail(path.name, 1 + (mark.line if mark else 0), "", f"the file is no YAML: {words}", "Correct it")
    found = _marked(node, path.name)
    if not isinstance(found.value, dict):
        fail(path.name, 1, "", "the file is no mapping", "Write participants: and measurements:")
    sections: Mapping[str, Marked] = found.value
    return sections


def _marked(node: Any, file: str) -> Marked:
    """A node of YAML as plain data, each value with its place; keys are texts."""
    if node is None:
        return Marked(None, 1, 1)
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    if node.id == "mapping":
        found: dict[str, Marked] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in found:
                fail(file, key.start_mark.line + 1, name, "the key is there twice", "Keep one")
            found[name] = _marked(value, file)
        return Marked(found, line, column)
    if node.id == "sequence":
        return Marked([_marked(one, file) for one in node.value], line, column)
    return Marked(str(node.value), line, column)


def from_mapping(path: Path) -> Dataset:
    """The data set that the mapping describes; its files lie beside it, or where it says.

    Raises
    ------
    DataError
        The mapping or the files are wrong: all faults at once.
    """
    faults, sections = Faults(), read_mapping(path)
    note_read(path)
    if not set(sections) & set(SECTIONS):  # another kind of file
        what = "this is a scenario" if "schema_version" in sections else "this is no mapping of tables"
        fail(
            path.name, 1, "", what, "Name the tables, or a mapping with participants: and measurements: (docs/data.md)"
        )
    for name, one in sections.items():
        if name not in SECTIONS:
            faults.add(path.name, one.line, name, "no such section", f"Allowed: {', '.join(SECTIONS)}")
    tables = {name: list(_tables(path, name, sections[name], faults)) for name in SECTIONS if name in sections}
    for name in ("participants", "measurements"):
        if name not in sections:
            faults.add(path.name, 1, name, "the section is missing", "Add it, with file and columns")
    if len(tables.get("participants", ())) > 1:
        faults.add(path.name, sections["participants"].line, "participants", "there are several tables", "Join them")
    faults.check()
    (people,), measured = tables["participants"], tables["measurements"]
    notes: list[Note] = []
    if people.file in {one.file for one in measured}:
        people = one_row_each(people, measured[0], faults, notes)
        faults.check()
    return build(Parts(path.stem, people, measured, tables.get("events", ()), tuple(notes)))


def _tables(path: Path, section: str, of: Marked, faults: Faults) -> Iterator[Table]:
    """The tables of a section: one, or a list of them."""
    for one in of.value if isinstance(of.value, list) else [of]:
        block = one.value if isinstance(one.value, dict) else {}
        if set(block) - {"file", "sheet", "columns"} or not {"file", "columns"} <= set(block):
            faults.add(path.name, one.line, section, "a table has a file and columns, and nothing else", "Correct it")
            continue
        table = read_table(
            path.parent / str(block["file"].value), str(block["sheet"].value) if "sheet" in block else ""
        )
        yield _table(path, section, table, block["columns"], faults)


def _table(path: Path, section: str, table: Named, of: Marked, faults: Faults) -> Table:
    columns: dict[str, Column] = {}
    wanted = dict(of.value) if isinstance(of.value, dict) else {}
    if section == "participants" and "covariates" in wanted:
        more = wanted.pop("covariates").value
        wanted |= {f"covariate {name}": one for name, one in (more if isinstance(more, dict) else {}).items()}
    for key, one in wanted.items():
        if key not in SECTIONS[section] and not key.startswith("covariate ") and section != "measurements":
            faults.add(
                path.name, one.line, key, f"{section} have no such column", f"Allowed: {', '.join(SECTIONS[section])}"
            )
        elif (column := _column(path, table, key, one, faults)) is not None:
            columns[key] = column
    if "id" not in wanted:
        faults.add(path.name, of.line, "id", f"the column with the id of {section} is not named", "Add id: NAME")
    if section == "measurements" and not {"day", "planned_day"} & set(wanted):
        faults.add(path.name, of.line, "day", "when it was measured is not named", "Add day or planned_day")
    return Table(table.name, table.rows, columns)


def _column(path: Path, table: Named, key: str, one: Marked, faults: Faults) -> Column | None:
    """One column, its unit and codes."""
    block = one.value if isinstance(one.value, dict) else {"column": one}
    for name, part in block.items():
        if name not in {"column", "unit", "codes"}:
            faults.add(path.name, part.line, f"{key}.{name}", "no such key", "Allowed: column, unit, codes")
    name = str(block["column"].value) if "column" in block else key
    unit = str(block["unit"].value) if "unit" in block else ("date" if key == "baseline" else "")
    if unit and unit not in UNITS:
        faults.add(path.name, block["unit"].line, f"{key}.unit", f"{unit} is no unit", f"Allowed: {', '.join(UNITS)}")
        return None
    if name not in table.cells:
        need(Place(table.name, name, table.rows, ()), list(table.cells), name, faults)
        return None
    codes = block["codes"].value if "codes" in block else {}
    return Column(table.cells[name], name, unit, {code: str(word.value) for code, word in dict(codes).items()})
