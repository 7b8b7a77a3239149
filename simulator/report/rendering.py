"""How a page is made from a template: style sheet, pictures in the page's colours, links."""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from simulator.report.style import COLOURS
from simulator.units import minus

TEMPLATES = Path(__file__).parent / "templates"
DOI = re.compile(r"doi:(10\.[0-9]{4,9}/[-._()/:A-Za-z0-9]*[A-Za-z0-9])")


def rendered(name: str, page: object, made_from: str = "") -> str:
    """A page from a template, what stands in it, and the checksum of the file that it is made from."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda text: minus(text) if type(text) is str else text,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"figure": themed, "doi": linked, "address": breakable}
    return environment.get_template(name).render(page=page, style=_style(), made_from=made_from) + "\n"


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
