"""Errors that a person is expected to meet: shown as one line, with an exit code, without a traceback."""

from __future__ import annotations

import errno

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""What the system says where a disk, or the part of it that a person may fill, is full."""
NOTHING_LEFT = "Nothing of it was left; make room, or name another place with -o"
INTERRUPTED = 130  # exit code of a command that was interrupted


class SimulatorError(Exception):
    """Something went wrong that the message explains; `exit_code` is what the command ends with."""

    exit_code = 1


class UsageError(SimulatorError):
    """What was asked for is out of range, or makes no sense."""

    exit_code = 2


class ResourceError(SimulatorError):
    """Memory, disk or an optional part is missing."""

    exit_code = 3


class DiskFullError(ResourceError):
    """There was no room for a file: `fact` says where, `left` what is left there and what to do."""

    def __init__(self, fact: str, left: str = NOTHING_LEFT) -> None:
        super().__init__(f"{fact}. {left}")
        self.fact = fact
