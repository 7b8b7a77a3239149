"""Results: the table of outputs, the tree, its files and its provenance."""

from simulator.results.files import open_result
from simulator.results.record import Provenance, Record
from simulator.results.tree import Result, name

__all__ = ["Provenance", "Record", "Result", "name", "open_result"]
