"""The errors of sweeps."""

from simulator.errors import SimulatorError


class SweepError(SimulatorError):
    """The sweep asks for something that cannot be, or its folder is not what it should be."""

    exit_code = 2


class ExecutorError(SimulatorError):
    """What a sweep should run on is not there."""

    exit_code = 3
