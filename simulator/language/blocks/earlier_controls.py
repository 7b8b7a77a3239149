"""Section `trial.earlier_controls`: control groups of earlier trials, which analyses may borrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from simulator.language.blocks.entering import existing, hashed
from simulator.language.care import Assessment
from simulator.language.parts import Interval, Text, Whole
from simulator.quantities import Part, Positive, Quantity, fault


class Changed(Part):
    """Mean and standard deviation of the change from baseline of so many `people`."""

    mean: Quantity
    sd: Positive
    people: Annotated[int, Whole(2, 5_000_000)]


class Occurred(Part):
    """Number of events in so many years of all people together."""

    number: Annotated[int, Whole(0, 5_000_000)]
    years: Positive


class EarlierControls(Part):
    """A control group until a `day` since baseline: its `change` of an outcome, or its `events` of an endpoint.

    `source` says where it is from. With `files` of a data set beside the scenario's file, as `als-sim data` reads them,
    change and events are those of its `arm`, or of everybody; they, `read` and `sha256` are filled in when the files
    are read, and the scenario is whole without them.
    """

    name: Text
    source: Text
    day: Interval
    outcome: Assessment = "alsfrs_r"
    endpoint: Literal["event_free", "death"] = "event_free"
    change: Changed | None = None
    events: Occurred | None = None
    files: Annotated[list[Text], Field(min_length=1, max_length=3)] | None = None
    arm: Text | None = None
    read: list[Text] | None = None
    sha256: list[Text] | None = None

    @model_validator(mode="after")
    def _told(self) -> EarlierControls:
        if self.change is None and self.events is None:
            raise fault("earlier controls say neither change nor events", "Write one of them, or files")
        if self.files is None and self.arm is not None:
            raise fault("arm is one of files, and there are none", "Remove arm, or add files", "arm")
        return self


def filled(section: Any, folders: Sequence[Path]) -> Any:
    """The section with what its files tell; as it is where they were read, or where there are none.

    Raises
    ------
    DataError
        The files cannot be used as they are, or tell nothing of this.
    FileNotFoundError
        There is no such file in the folders; the message names it.
    """
    if not isinstance(section, Mapping) or not _complete(section) or section.get("read") == section["files"]:
        return section
    from simulator.datasets.controls import told
    from simulator.datasets.reading import read_data

    places = [existing(one, folders) for one in section["files"]]
    asked = (section.get("outcome", "alsfrs_r"), section.get("endpoint", "event_free"))
    found = told(read_data(*places), section.get("arm") or "", float(section["day"]), *asked)
    kept = {key: value for key, value in section.items() if key not in ("change", "events")}
    return kept | found | {"read": list(section["files"]), "sha256": [hashed(place) for place in places]}


def _complete(section: Mapping[str, Any]) -> bool:
    """Whether there are files, and what is asked of them can be read; the schema says what else is wrong."""
    files, day = section.get("files"), section.get("day")
    sound = isinstance(files, list) and all(isinstance(one, str) for one in files) and isinstance(day, int)
    return sound and all(isinstance(section.get(key, ""), str) for key in ("outcome", "endpoint", "arm"))
