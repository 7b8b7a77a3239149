"""A data set: participants, what was measured of them and when, what happened to them and when."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.tables.table import Table, notebook
from simulator.units import how_many

Floats = NDArray[np.float64]
Texts = NDArray[np.str_]


class Participants(NamedTuple):
    """Who took part, n of them. Texts are "" and numbers NaN where nothing is known.

    Parameters
    ----------
    id, arm, stratum, variant, sex, onset_site : (n,) texts.
    age : (n,) [years] at baseline. months_since_onset : (n,) [months] at baseline.
    treatment_start_day, treatment_end_day : (n,) [d] since baseline.
    covariates : other numbers of a participant at baseline, (n,) each, by name.
    """

    id: Texts
    arm: Texts
    stratum: Texts
    variant: Texts
    sex: Texts
    onset_site: Texts
    age: Floats
    months_since_onset: Floats
    treatment_start_day: Floats
    treatment_end_day: Floats
    covariates: Mapping[str, Floats]


class Measurements(NamedTuple):
    """Values of one variable, m of them.

    Parameters
    ----------
    person : (m,) positions among the participants.
    day : (m,) [d] since baseline on which it was measured. planned_day : (m,) [d] for which it was planned, or NaN.
    value : (m,) what was measured.
    """

    person: NDArray[np.int64]
    day: Floats
    planned_day: Floats
    value: Floats


class Endpoint(NamedTuple):
    """A time to an event: (n,) [d] of the event or of the last day known free of it (NaN: unknown), and which."""

    time: Floats
    event: NDArray[np.bool_]


class Note(NamedTuple):
    """What was set aside, computed or is not there: how many, of what, why."""

    number: int
    what: str
    why: str

    def __str__(self) -> str:
        return f"{how_many(self.number, self.what)}: {self.why}"


class Dataset(NamedTuple):
    """Participants and measurements of real people. Read one with `simulator.read_data`.

    Parameters
    ----------
    name : what the data are called: the names of the files.
    participants : who took part.
    measurements : by variable, such as `alsfrs_r`.
    endpoints : by name: `death`, `event_free` (death or permanent assisted ventilation), `dropout`, others.
    visits : (v,) [d] planned days of the visits, rising; empty where none are known.
    notes : what was set aside or computed when it was read.
    files : pairs of name and sha256 of the files that it was read from, in the order of the alphabet.
    """

    name: str
    participants: Participants
    measurements: Mapping[str, Measurements]
    endpoints: Mapping[str, Endpoint]
    visits: Floats
    notes: tuple[Note, ...]
    files: tuple[tuple[str, str], ...] = ()

    @property
    def made_from(self) -> str:
        """The sha256 of its file; of several, of the lines that `sha256sum` prints of them; empty without files."""
        return sha256_of(self.files)

    @property
    def n(self) -> int:
        """Number of participants."""
        return len(self.participants.id)

    @property
    def arms(self) -> list[str]:
        """The arms that participants are in, in the order of the alphabet."""
        return sorted(set(self.participants.arm.tolist()) - {""})

    def _repr_html_(self) -> str:
        span = {name: f"{one.day.min():g} to {one.day.max():g}" for name, one in self.measurements.items()}
        values = [
            [name, str(len(one.value)), str(len(set(one.person.tolist()))), span[name]]
            for name, one in self.measurements.items()
        ]
        ends = [
            [name, str(int(one.event.sum())), str(int(np.isfinite(one.time).sum()))]
            for name, one in self.endpoints.items()
        ]
        tables = [Table("", ["measured", "values", "participants", "days"], values)]
        tables += [Table("", ["event", "events", "participants"], ends)] if ends else []
        arms = f" in {', '.join(self.arms)}" if self.arms else ""
        return notebook(self.name, f"{how_many(self.n, 'participants')}{arms}", *tables, notes=self.notes)


def sha256_of(files: Sequence[tuple[str, str]]) -> str:
    """The sha256 of one file of pairs of name and sha256; of several, of the lines that `sha256sum` prints of them."""
    if len(files) < 2:
        return "".join(digest for _, digest in files)
    lines = "".join(f"{digest}  {name}\n" for name, digest in files)
    return hashlib.sha256(lines.encode()).hexdigest()
