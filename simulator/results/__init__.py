"""Results of studies: kinds, arrays, files, folders and their provenance."""

from simulator.results.opening import open_run, open_study
from simulator.results.record import Provenance, Record
from simulator.results.study import GroupedResult, StudyResult
from simulator.results.tree import Result, name

__all__ = ["GroupedResult", "Provenance", "Record", "Result", "StudyResult", "name", "open_run", "open_study"]
