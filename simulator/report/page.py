"""The report: one HTML file that needs nothing else, the same bytes for the same result."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from simulator.report.content import Page, content
from simulator.report.draws import drawn_content
from simulator.report.style import COLOURS
from simulator.results import Result
from simulator.results.files import text_writer, write_all
from simulator.results.kinds import TWINS

if TYPE_CHECKING:
    from simulator.studies.sweep.swept import Sweep
    from simulator.studies.trial.result import Trial
    from simulator.studies.twins.result import Twins

Reported: TypeAlias = "Result | Trial | Sweep | Twins"
"""What has a report."""
TEMPLATES = Path(__file__).parent / "templates"
DOI = re.compile(r"doi:(10\.[0-9]{4,9}/[-._()/:A-Za-z0-9]*[A-Za-z0-9])")


def report_html(result: Reported) -> str:
    """The report of a result, a trial that was run many times, a sweep or twins, from what it holds."""
    if result.kind is TWINS:
        from simulator.report.twins import twins_content

        return rendered("data.html.j2", twins_content(cast("Twins", result)))
    return rendered("report.html.j2", _content(cast("Result | Trial | Sweep", result)))


def rendered(name: str, page: object) -> str:
    """A page from a template and what stands in it."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"figure": themed, "doi": linked, "address": breakable}
    return environment.get_template(name).render(page=page, style=_style()) + "\n"


def _content(result: Result | Trial | Sweep) -> Page:
    if isinstance(result, Result):
        return drawn_content(result) if result.draws else content(result)
    from simulator.report.sweep import sweep_content
    from simulator.report.trial import trial_content  # brings the engine with it
    from simulator.studies.trial.result import Trial

    return trial_content(result) if isinstance(result, Trial) else sweep_content(result)


def write_report(result: Reported, path: Path) -> Path:
    """Write the report of a result to a file, atomically."""
    write_all(path.parent, [(path.name, text_writer(report_html(result)))])
    return path


def _style() -> Markup:
    """The style sheet, with the colours of the pictures as variables: one set by day, one by night."""
    light, dark = (
        "".join(f"--{name}:{getattr(colour, mode)};" for name, colour in COLOURS.items()) for mode in ("light", "dark")
    )
    rules = (TEMPLATES / "report.css").read_text("utf-8")
    return Markup(rules.replace("/*light*/", light).replace("/*dark*/", dark))


def themed(svg: str) -> Markup:
    """A picture for the page: colours become the page's variables, size follows the page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r' (?:width|height)="[0-9.]+pt"', "", svg, count=2)
    for name, colour in COLOURS.items():
        svg = svg.replace(colour.light, f"var(--{name})")
    return Markup(svg)


def breakable(address: str) -> Markup:
    """An address, escaped, that may be broken after its dots."""
    return Markup(str(escape(address)).replace(".", ".<wbr>"))


def linked(text: str) -> Markup:
    """A citation, escaped, its DOI as a link."""
    return Markup(DOI.sub(r'<a href="https://doi.org/\1">doi:\1</a>', str(escape(text))))
