"""From a vector of parameters to the simulated summaries; every evaluation is kept, so that work can go on later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.catalog.calibration import Calibration, Parameter
from simulator.errors import SimulatorError
from simulator.execution.version_check import other_versions
from simulator.mechanisms.antisense.spec import Antisense
from simulator.results.files import digest, text_writer, write_all
from simulator.studies.calibrate.errors import CalibrationError
from simulator.studies.calibrate.rows import Datum
from simulator.studies.evidence.score import SEED, Runs, simulated
from simulator.version import __version__, versions
from simulator.writing import append

if TYPE_CHECKING:
    from simulator.language import Scenario

Floats = NDArray[np.float64]
EVALUATIONS = "evaluations.jsonl"


def settings(
    parameters: Sequence[Parameter], vector: Sequence[float] | Floats, run: str, drugs: Sequence[str]
) -> dict[str, float]:
    """Addresses and values of a run, from a vector in prior SDs."""
    found: dict[str, float] = {}
    for parameter, standard in zip(parameters, vector, strict=True):
        if run not in parameter.runs:
            continue
        value = parameter.value(float(standard))
        for drug in drugs if "*" in parameter.address else ("",):
            found[parameter.address.replace("*", drug)] = value
        if parameter.complement:
            found[parameter.complement] = 1 - value
    return found


def runs_at(spec: Calibration, vector: Sequence[float] | Floats, patients: float = 1.0) -> Runs:
    """The calibration's runs at a vector in prior SDs."""

    def change(name: str, scenario: Scenario) -> Scenario:
        drugs = [key for key, one in scenario.treatments.items() if isinstance(one, Antisense)]
        return scenario.replace(settings(spec.parameters, vector, name, drugs))

    return Runs(change, patients, spec.runs)


def starting_vector(spec: Calibration) -> Floats:
    """Where the fit starts, in prior SDs."""
    return np.array([parameter.standard(parameter.started) for parameter in spec.parameters])


def resumed_versions(folder: Path) -> list[str]:
    """What must be said before a calibration goes on in a folder that other libraries began; nothing otherwise."""
    try:
        with (folder / EVALUATIONS).open(encoding="utf-8") as stream:
            before, now = _whole(stream.readline()), {"versions": versions()}
    except (OSError, UnicodeDecodeError):
        return []
    others = other_versions(before, {"engine_version": before.get("engine_version"), **now})
    what = "what was simulated with them is taken as it is"
    return [f"{folder} was begun with other versions ({', '.join(others)}): {what}."] if others else []


class Evaluator:
    """Vector to summaries, (n_data,); random numbers are common to all vectors.

    Parameters
    ----------
    spec : Calibration
    data : sequence of Datum
    folder : Path, optional
        Where evaluations are kept, one line each; a start with the same folder takes them up.
    patients : float
        Share of the patients that the calibration names.
    tell : callable, optional
        Called with the number of evaluations made here.

    Raises
    ------
    CalibrationError
        The folder holds evaluations of something else.
    """

    def __init__(
        self,
        spec: Calibration,
        data: Sequence[Datum],
        folder: Path | None = None,
        patients: float = 1.0,
        tell: Callable[[int], None] | None = None,
    ) -> None:
        self.spec, self.data = spec, data
        self._patients, self._tell, self._made = patients, tell, 0
        self._known: dict[str, list[float]] = {}
        self._of_run: dict[str, dict[str, float]] = {}
        self._file = folder / EVALUATIONS if folder else None
        if self._file:
            self._open(self._file)

    def __call__(self, vector: Sequence[float] | Floats) -> Floats:
        """Summaries at a vector in prior SDs; NaN where nobody could be recruited."""
        rounded = [round(float(x), 6) for x in vector]
        key = json.dumps(rounded)
        if key not in self._known:
            self._known[key] = self._simulate(rounded)
            self._made += 1
            self._keep({"x": rounded, "y": self._known[key]})
            if self._tell:
                self._tell(self._made)
        return np.array(self._known[key], float)

    def _simulate(self, vector: list[float]) -> list[float]:
        try:
            found = {key: value for run in self.spec.runs for key, value in self._summaries_of(run, vector).items()}
        except SimulatorError:
            return [float("nan")] * len(self.data)
        return [found[datum.id] for datum in self.data]

    def _summaries_of(self, run: str, vector: list[float]) -> dict[str, float]:
        """The summaries of one run, by id; a run that two vectors have in common is simulated once."""
        moved = [x for parameter, x in zip(self.spec.parameters, vector, strict=True) if run in parameter.runs]
        key = json.dumps([run, moved])
        if key not in self._of_run:
            runs = runs_at(self.spec, vector, self._patients)
            mine = [datum for datum in self.data if datum.target.run == run]
            self._of_run[key] = {datum.id: simulated(datum.target, runs).value for datum in mine}
        return self._of_run[key]

    @property
    def fingerprint(self) -> str:
        """What evaluations depend on."""
        ids = [datum.id for datum in self.data]
        spec = self.spec.model_dump(include={"runs", "parameters"})
        text = json.dumps([__version__, spec, ids, self._patients, SEED])
        return hashlib.sha256(text.encode()).hexdigest()

    def _open(self, file: Path) -> None:
        """Take up what the file holds; a line that is cut short or damaged is dropped."""
        if not file.exists() or not file.stat().st_size:
            return
        lines = [line for text in file.read_text("utf-8", "replace").splitlines() if (line := _whole(text))]
        if not lines or lines[0].get("fingerprint") != self.fingerprint:
            raise CalibrationError(
                f"{file} holds the evaluations of another calibration. Choose another folder with -o"
            )
        for line in lines[1:]:
            self._known[json.dumps(line["x"])] = line["y"]
        write_all(file.parent, [(file.name, text_writer("".join(map(_sealed, lines))))])

    def _keep(self, line: dict[str, Any]) -> None:
        """Add a line to the file, which the first one begins."""
        if self._file:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            is_new = not self._file.exists() or not self._file.stat().st_size
            first = {"fingerprint": self.fingerprint, "versions": versions()}
            append(self._file, (_sealed(first) if is_new else "") + _sealed(line))


def _sealed(line: dict[str, Any]) -> str:
    """A line of the file, with its checksum."""
    return json.dumps({**line, "sha256": digest(line)}) + "\n"


def _whole(text: str) -> dict[str, Any]:
    """What a line says, if its checksum holds; else nothing."""
    try:
        line = json.loads(text)
        return line if line.pop("sha256") == digest(line) else {}
    except (ValueError, KeyError, AttributeError, TypeError):
        return {}
