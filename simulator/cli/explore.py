"""The command that opens the explorer."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from simulator.cli.errors import friendly
from simulator.cli.run import Json, Seed, bundled_names, note, show


@friendly
def explore(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO|DIR",
            help="A scenario file, the name of a bundled one, or the folder of a study.",
            autocompletion=bundled_names,
        ),
    ] = "valor",
    *,
    seed: Seed = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port of this machine; 0: one that is free.")
    ] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    as_json: Json = False,
) -> None:
    """Open a page with sliders. Pictures, table and answer follow while a slider moves.

    The page is for this machine only. Ctrl-C ends it.
    """
    from simulator.explorer.opening import open_page

    def ready(address: str) -> None:
        show({"address": address}, as_json, lambda found: found["address"])
        sys.stdout.flush()
        note("Ctrl-C ends the explorer")

    open_page(source, seed=seed, port=port, browser=browser, ready=ready)


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("explore")(explore)
