"""Errors of analyses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from simulator.errors import SimulatorError


class AnalysisError(SimulatorError):
    """An analysis, its estimand or its data make no sense; the message says which, why, and what to do."""

    exit_code = 2


class NotEstimableError(AnalysisError):
    """The data are sound but do not determine the estimate: nobody had an event, or a fit did not converge.

    A study of replicates counts these; it does not stop.
    """

    exit_code = 1


@contextmanager
def solvable(method: str) -> Iterator[None]:
    """Equations without a unique solution mean that the data do not determine the estimate."""
    try:
        yield
    except np.linalg.LinAlgError:
        raise NotEstimableError(f"{method}: too few participants or visits to determine the model") from None
