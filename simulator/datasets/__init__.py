"""Participants and measurements of real people: readers, checks, tables. Nothing is dropped or guessed in silence."""

from __future__ import annotations

from simulator.datasets.dataset import Dataset, Endpoint, Measurements, Note, Participants
from simulator.datasets.faults import DataError, DataFault

__all__ = ["DataError", "DataFault", "Dataset", "Endpoint", "Measurements", "Note", "Participants"]
