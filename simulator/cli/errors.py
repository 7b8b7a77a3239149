"""Errors on the terminal: one line each on stderr, an exit code, a traceback only with --debug."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NoReturn, ParamSpec, TypeVar

import typer

from simulator.errors import FULL, INTERRUPTED

P = ParamSpec("P")
R = TypeVar("R")


def debugging() -> bool:
    """True where the person asked for tracebacks."""
    return "--debug" in sys.argv or bool(os.environ.get("ALS_SIM_DEBUG"))


def fail(error: BaseException, as_json: bool = False) -> NoReturn:
    """Print the error, each line as it is, and leave with its code; where JSON was asked for, on stdout too.

    Exit codes: 1 the work failed, 2 wrong usage or an invalid scenario, 3 a resource or an optional part is
    missing, 130 interrupted.
    """
    message, code = _describe(error)
    with suppress(OSError):  # where it is printed to may be what is full
        if message:
            sys.stderr.write(message + "\n")
        if as_json:
            faults = [fault._asdict() for fault in getattr(error, "errors", ())]
            sys.stdout.write(fault_document(message, code, faults) + "\n")
            sys.stdout.flush()
    raise typer.Exit(code) from None


def fault_document(message: str, code: int, faults: Sequence[dict[str, Any]] = ()) -> str:
    """The document of a command that failed."""
    return json.dumps({"error": {"exit_code": code, "message": message, "faults": list(faults)}}, indent=1)


def flushed(code: str | int | None) -> str | int | None:
    """The exit code once everything is written: another where a stream is full, or its reader has gone."""
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except OSError as error:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as the process
            if not isinstance(error, BrokenPipeError):
                sys.stderr.write(f"{_describe(error)[0]}\n")
            code = code or (1 if isinstance(error, BrokenPipeError) else _describe(error)[1])
    return code


def _describe(error: BaseException) -> tuple[str, int]:
    """What to print and how to end."""
    if isinstance(code := getattr(error, "exit_code", None), int):  # each package has errors of its own
        return str(error), code
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted", INTERRUPTED
    if isinstance(error, MemoryError):
        return f"Not enough memory. {error}".strip(), 3
    if isinstance(error, ModuleNotFoundError):
        return f"An optional part is missing: {error.name}. Install it with pip install 'als-simulator[all]'", 3
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or error}", 3 if error.errno in FULL else 1
    return f"Internal error: {type(error).__name__}: {error}. Run with --debug for the traceback, and report it", 1


def friendly(command: Callable[P, R]) -> Callable[P, R]:
    """Let a command end with an explained error rather than a traceback."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except BrokenPipeError:
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - the reader has gone
            raise typer.Exit(1) from None
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, (typer.Exit, typer.Abort)) or hasattr(error, "show") or debugging():
                raise
            fail(error, bool(kwargs.get("as_json")))

    return wrapped
