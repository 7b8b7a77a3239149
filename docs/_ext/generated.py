"""Pages made from the program itself while the site is built: commands, Python names, results, schema, scenarios."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from pictures import gallery

import simulator

FOLDER = "reference"
LEAVES = {
    "Quantity": "a number or a sourced value",
    "Distribution": "a number, a distribution or a sourced one",
    "Prior": "a distribution",
}


def setup(app: Any) -> dict[str, bool]:
    """Write the pages before Sphinx looks for them."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}


def write(app: Any) -> None:
    """All pages; a page that says the same as before is not touched."""
    folder = Path(app.srcdir) / FOLDER
    folder.mkdir(exist_ok=True)
    for name, lines in (PAGES | {"gallery": lambda: gallery(folder)}).items():
        text = "\n".join(lines()) + "\n"
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def commands() -> Iterator[str]:
    """Every command's help."""
    from typer.main import get_command

    from simulator.cli.app import app

    yield "# Commands\n"
    yield "stdout carries results, stderr progress and notes. `--json` prints one document, of an error too. Exit"
    yield "codes: 0 done; 1 the run failed or a check is out of tolerance; 2 wrong usage or an invalid scenario; 3 an"
    yield "optional part or a resource is missing; 4 a sweep ended with failed points; 130 interrupted.\n"
    group = get_command(app)
    found = dict(group.commands)  # type: ignore[attr-defined]
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        found |= {f"{name} {part}": one for part, one in getattr(command, "commands", {}).items()}
    for name, command in sorted(found.items()):
        context = command.make_context(f"als-sim {name}", [], resilient_parsing=True, max_content_width=90)
        yield f"## {name}\n\n```text\n{command.get_help(context)}\n```\n"


def python() -> Iterator[str]:
    """The public names."""
    yield "# Python\n"
    yield "`import simulator as sim` takes no time: heavy modules are loaded with the first name that needs them.\n"
    for name in simulator.__all__:
        if name.startswith("_"):
            continue
        kind = "class" if inspect.isclass(getattr(simulator, name)) else "function"
        yield f"## {name}\n\n```{{eval-rst}}\n.. auto{kind}:: simulator.{name}"
        yield ("   :members:\n   :exclude-members: model_config\n" if kind == "class" else "") + "```\n"


def dependencies() -> Iterator[str]:
    """What the program needs, as installed where the pages are made."""
    from simulator.studies import dependencies as needed

    yield "# Dependencies and licences\n"
    yield "What `als-sim doctor --licences` prints, from the metadata of what is installed where this page is made."
    yield "Versions with checksums, for development too, are in `requirements.lock`. The program is Apache-2.0.\n"
    rows = [(one.name, one.version, one.extra or "always", one.needed_by, one.licence) for one in needed.dependencies()]
    yield from table(("distribution", "version", "needed", "by", "licence"), rows)


def results() -> Iterator[str]:
    """The table of outputs."""
    from simulator.results.variables import VARIABLES

    yield "# The result tree\n"
    yield "`result.nc` is netCDF-4, a group for each part; `result.data` is the same as an xarray tree. Days are days"
    yield "since baseline. Values that do not exist are NaN or the fill value, never 0. Groups and arrays are there"
    yield "when the scenario asks for them.\n"
    for group in dict.fromkeys(group for group, _ in VARIABLES):
        rows = [one for one in VARIABLES.values() if one.group == group]
        yield f"## {group}\n"
        yield from table(
            ("variable", "dimensions", "unit", "what"),
            [(f"`{one.name}`", ", ".join(one.dims), one.unit, _meaning(one)) for one in rows],
        )


def _meaning(one: Any) -> str:
    """What a variable says, and what its codes mean."""
    flags = "; ".join(f"{code} {word}" for code, word in enumerate(one.flags))
    return one.long_name + (f" ({flags})" if flags else "")


def schema() -> Iterator[str]:
    """Every section of a scenario and its keys."""
    from simulator.language.scenario import Scenario

    found = Scenario.model_json_schema()
    yield "# Schema of a scenario\n"
    yield "`als-sim schema` prints the JSON Schema of what people write, for editors. This is the complete form, as"
    yield "`als-sim show NAME` and `scenario.resolved.yaml` have it.\n"
    for name, whole in {"Scenario": found, **found["$defs"]}.items():
        # a section that may be written shorter has its keys in one of its forms
        node = next((one for one in whole.get("anyOf", ()) if "properties" in one), whole)
        keys = node.get("properties")
        if not keys:
            continue
        yield f"## {name}\n\n{node.get('description', '')}\n"
        needed = node.get("required", ())
        rows = [(f"`{key}`", _type(value), "yes" if key in needed else "") for key, value in keys.items()]
        yield from table(("key", "is", "required"), rows)


def _type(node: dict[str, Any] | bool) -> str:
    """The type of a key in words."""
    if isinstance(node, bool):
        return "anything"
    return next((words(node) for key, words in WORDS.items() if node.get(key)), str(node.get("type", "anything")))


def _reference(node: dict[str, Any]) -> str:
    """A section, as a link; values in words."""
    name = node["$ref"].rsplit("/", 1)[-1]
    return LEAVES.get(name, f"[{name}](#{name.lower()})")


def _either(key: str) -> Callable[[dict[str, Any]], str]:
    """One of several types; nothing is said of null."""
    return lambda node: " or ".join(_type(one) for one in node[key] if one.get("type") != "null")


WORDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "$ref": _reference,
    "anyOf": _either("anyOf"),
    "oneOf": _either("oneOf"),
    "enum": lambda node: ", ".join(f"`{one}`" for one in node["enum"]),
    "const": lambda node: f"`{node['const']}`",
    "items": lambda node: f"list of {_type(node['items'])}",
    "additionalProperties": lambda node: f"names of {_type(node['additionalProperties'])}",
}


def bundled() -> Iterator[str]:
    """Every bundled scenario, as it is written."""
    from simulator.language.listing import titles

    yield "# Bundled scenarios\n"
    for one in titles():
        yield f"## {one.name}\n\n{one.question}\n"
        yield f"```{{literalinclude}} ../../scenarios/{one.name}.yaml\n:language: yaml\n```\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A table in Markdown."""
    columns = list(head)
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"
    yield ""


PAGES = {
    "bundled": bundled,
    "commands": commands,
    "python": python,
    "results": results,
    "schema": schema,
    "dependencies": dependencies,
}
