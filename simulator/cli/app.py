"""The typer application and its entry point."""

from __future__ import annotations

import gc
import os
import sys
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from simulator import plugins
from simulator.cli import report, run
from simulator.cli.errors import fault_document, flushed
from simulator.cli.help_text import with_endings
from simulator.errors import SimulatorError
from simulator.version import __version__

SELDOM = 50_000
"""New objects before cycles are looked for: a report takes an eighth longer with the usual 700."""


class Commands(TyperGroup):
    """The commands; where JSON was asked for, wrong usage is told as JSON on stdout too."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        as_json = "--json" in ctx.args
        try:
            return super().invoke(ctx)
        except Exception as error:
            if as_json and (message := getattr(error, "format_message", None)):
                typer.echo(fault_document(message(), getattr(error, "exit_code", 2)))
            raise


app = typer.Typer(
    cls=Commands,
    name="als-sim",
    help="Simulate SOD1-ALS patients untreated, treated early and treated late.\n\n"
    "Research software, not for treatment decisions.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"als-sim {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options of every command; they stand before the command."""


run.register(app)
report.register(app)


def _register_scenarios() -> None:
    from simulator.cli import (
        calibrate,
        compiling,
        data,
        decide,
        evidence,
        explore,
        fit,
        scenarios,
        sensitivity,
        sweep,
        trial,
        twins,
    )

    scenarios.register(app)
    evidence.register(app)
    calibrate.register(app)
    trial.register(app)
    sensitivity.register(app)
    decide.register(app)
    sweep.register(app)
    compiling.register(app)
    data.register(app)
    explore.register(app)
    twins.register(app)
    fit.register(app)


_register_scenarios()
with_endings(app)


def main() -> None:
    """Entry point of `als-sim`."""
    gc.set_threshold(SELDOM)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started it
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a letter gets a question mark
    try:
        plugins.load()
    except SimulatorError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None
    try:
        app()
    except SystemExit as end:
        raise SystemExit(flushed(end.code)) from None
