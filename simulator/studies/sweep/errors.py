"""The error of sweeps."""

from simulator.errors import SimulatorError


class SweepError(SimulatorError):
    """The sweep asks for something that cannot be, or its folder is not what it should be."""

    exit_code = 2
