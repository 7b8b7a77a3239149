"""The command compile: fill the cache of compiled kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.errors import friendly
from simulator.cli.run import Json, bundled_names, repeatable, show

if TYPE_CHECKING:
    from simulator.studies.compiling import Filled


@friendly
def compile_(
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO", help="A scenario file, or the name of a bundled one.", autocompletion=bundled_names
        ),
    ] = "valor",
    *,
    every: Annotated[bool, typer.Option("--all", help="Every kind of bundled scenario.")] = False,
    as_json: Json = False,
) -> None:
    """Compile the engine ahead of runs. For images, clusters, shared caches."""
    from simulator.cli.progress import Progress
    from simulator.studies.compiling import fill_cache

    with repeatable(), Progress():
        found = fill_cache(bundled_names() if every else [scenario])
    show(
        found._asdict() | {"scenarios": [one._asdict() for one in found.scenarios]} if as_json else found, as_json, text
    )


def text(found: Filled) -> str:
    """What was compiled, and where it is."""
    lines = [
        f"{one.scenario}: {one.parts} parts compiled, {one.seconds:.1f} s"
        if one.parts
        else f"{one.scenario}: was there"
        for one in found.scenarios
    ]
    return "\n".join([*lines, f"{found.megabytes:.1f} MB in {found.folder}"])


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("compile")(compile_)
