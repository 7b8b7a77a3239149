"""Errors that a person is expected to meet: shown as one line, with an exit code, without a traceback."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable

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


def absent(what: str, name: object, known: Iterable[object], many: str = "", *, where: str = "") -> str:
    """What is said of a name that is not among those there are: what was probably meant, and all there are.

    Parameters
    ----------
    what : str
        Of what kind it is: arm, outcome.
    name : object
        As it was asked for; numbers stand without quotes.
    known : iterable
        Those there are.
    many : str
        The kind in the plural, where an s does not make it.
    where : str
        In which whole it is not, such as "the trial"; by default none is named.

    Returns
    -------
    str
        A fact and a remedy, as a message has them.

    Examples
    --------
    >>> absent("arm", "early", ["untreated", "early_start"])
    "there is no arm 'early'. Did you mean early_start? Arms: untreated, early_start"
    """
    listed = [_said(one) for one in known]
    plural = many or f"{what}s"
    quoted = _said(name) if isinstance(name, (int, float)) else f"'{_said(name)}'"
    fact = f"{where} has no {what} {quoted}" if where else f"there is no {what} {quoted}"
    near = difflib.get_close_matches(_said(name), listed, n=1) if isinstance(name, str) else []
    meant = f"Did you mean {near[0]}? " if near and len(listed) > 1 else ""
    return f"{fact}. {meant}{plural[0].upper()}{plural[1:]}: {', '.join(listed) or 'none'}"


def _said(one: object) -> str:
    """A name or number on one line."""
    text = f"{one:g}" if isinstance(one, (int, float)) else str(one)
    return "".join(c if c.isprintable() else "?" for c in text)
