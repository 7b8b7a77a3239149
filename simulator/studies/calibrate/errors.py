"""What can go wrong in a calibration."""

from __future__ import annotations

from simulator.errors import SimulatorError


class CalibrationError(SimulatorError):
    """A row that may not be fitted, or a folder that holds another calibration."""

    exit_code = 2
