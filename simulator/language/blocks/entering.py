"""Section `entry.data`: the participants of a data set enter themselves, in place of people from distributions."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from simulator.language.parts import Text
from simulator.quantities import NotNegative, Part, Quantity, fault

MEASURES = {"alsfrs_r": "alsfrs_r", "svc_percent": "svc", "nfl_plasma": "nfl_plasma"}
"""What can be matched, and what data sets call it."""
COLUMNS = ("id", "variant", "sex", "onset_site", "age", "months_since_onset", *MEASURES)
TEXTS = COLUMNS[:4]


class Like(Part):
    """How near a measurement must be to the participant's, at entry: half-widths; of NfL in percent."""

    alsfrs_r: NotNegative = Quantity(value=0, evidence="assumed")
    svc_percent: NotNegative = Quantity(value=2.5, evidence="assumed")
    nfl_plasma_percent: NotNegative = Quantity(value=10, evidence="assumed")


class Data(Part):
    """Participants of the `files` of a data set, beside the scenario's file, as `als-sim data` reads them.

    Patients are the participants in turn, each once where there are as many; with `resample` each patient is a
    participant drawn at random. What `match` names is measured alike at entry, within `tolerance`. `participants`,
    `sha256` and `read` are filled in when the files are read: the scenario is whole without them.
    """

    files: Annotated[list[Text], Field(min_length=1, max_length=3)]
    resample: bool = False
    match: list[Literal["alsfrs_r", "svc_percent", "nfl_plasma"]] = Field(default=["alsfrs_r"])
    tolerance: Like = Like()
    read: list[Text] | None = None
    sha256: list[Text] | None = None
    participants: Annotated[list[str], Field(min_length=2)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        return in_full(data)

    @model_validator(mode="after")
    def _lines(self) -> Data:
        if self.participants is not None and self.participants[0] != ",".join(COLUMNS):
            raise fault("participants are filled in from the files", "Remove them: the files are read", "participants")
        return self

    @property
    def rows(self) -> list[dict[str, str]]:
        """A row a participant; "" where something is not known."""
        lines = self.participants or [",".join(COLUMNS)]
        return list(csv.DictReader(io.StringIO("\n".join(lines) + "\n")))

    @property
    def ids(self) -> list[str]:
        """Participants by the data's own names."""
        return [row["id"] for row in self.rows]


def in_full(section: Any) -> Any:
    """The section with its files under `files`, where a file or a list of them stands for it."""
    if isinstance(section, str):
        return {"files": [section]}
    return {"files": section} if isinstance(section, list) else section


def filled(section: Any, folders: Sequence[Path]) -> Any:
    """The section with the participants of its files; as it is where they were read, or where it is none.

    Raises
    ------
    DataError
        The files cannot be used as they are.
    FileNotFoundError
        There is no such file in the folders; the message names it.
    """
    full = in_full(section)
    files = full.get("files") if isinstance(full, dict) else None
    if not isinstance(full, dict) or not isinstance(files, list) or not all(isinstance(one, str) for one in files):
        return section
    if full.get("read") == files and full.get("participants"):
        return full
    from simulator.datasets.reading import read_data

    places = [existing(one, folders) for one in files]
    return full | {
        "read": list(files),
        "sha256": [hashed(place) for place in places],
        "participants": lines_of(read_data(*places)),
    }


def existing(name: str, folders: Sequence[Path]) -> Path:
    """The file of that name in the first folder that has it; FileNotFoundError with the name where none does."""
    place = next((folder / name for folder in folders if (folder / name).exists()), None)
    if place is None:
        raise FileNotFoundError(name)
    return place


def hashed(place: Path) -> str:
    """SHA-256 of a file, or of the names and contents of a folder's files."""
    digest = hashlib.sha256()
    for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
        if file.is_file():
            digest.update(file.name.encode() + b"\0" if place.is_dir() else b"")
            digest.update(file.read_bytes())
    return digest.hexdigest()


def lines_of(data: Any) -> list[str]:
    """What is known of the participants at entry, as lines of a table with COLUMNS."""
    who, text = data.participants, io.StringIO()
    measured = {name: _baseline(data, MEASURES[name]) for name in MEASURES}
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for k in range(data.n):
        numbers = (who.age[k], who.months_since_onset[k], *(measured[name].get(k, float("nan")) for name in MEASURES))
        texts = (who.id[k], who.variant[k], who.sex[k], who.onset_site[k])
        writer.writerow([*map(str, texts), *("" if x != x else repr(float(x)) for x in numbers)])  # noqa: PLR0124
    return text.getvalue().splitlines()


def _baseline(data: Any, name: str) -> dict[int, float]:
    """Values of day 0, or planned for it, by participant; the nearest to day 0 where there are several."""
    of = data.measurements.get(name)
    if of is None:
        return {}
    rows = [
        (abs(float(day)), int(person), float(value))
        for person, day, planned, value in zip(of.person, of.day, of.planned_day, of.value, strict=True)
        if planned == 0 or (planned != planned and day == 0)  # noqa: PLR0124
    ]
    return {person: value for _, person, value in sorted(rows, reverse=True)}
