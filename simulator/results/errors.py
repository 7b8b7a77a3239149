"""Errors of results and their files."""

from __future__ import annotations

from simulator.errors import SimulatorError


class ResultError(SimulatorError):
    """A result cannot be read or written; the message says which, why, and what to do."""

    exit_code = 1


class NoStudyError(ResultError):
    """There is no study of this program at a place."""

    exit_code = 2


class DrawnError(ResultError):
    """The result is over draws of the ensemble, where one parameter vector is needed."""

    exit_code = 2


class FolderError(ResultError):
    """The folder given cannot take a result."""

    exit_code = 2


class NotARunError(ResultError):
    """Something else was found where the result of a run is needed."""

    exit_code = 2


class ChoiceError(ResultError):
    """What was asked of a result is not in it."""

    exit_code = 2
