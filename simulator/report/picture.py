"""A picture as bytes: the same picture gives the same bytes, in any folder, on any day."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.errors import SimulatorError, absent
from simulator.report.kinds import Image
from simulator.report.style import COLOURS, FONT, drawing
from simulator.results.files import bytes_writer, write_all
from simulator.writing import MADE_FROM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FONTS = f"'{FONT}', Verdana, sans-serif"  # Verdana is as wide
LONG = re.compile(r"(?<=\.\d\d)\d+")  # digits beyond a hundredth of a point


class PictureError(SimulatorError):
    """The picture cannot be drawn from this result, or not in this format."""

    exit_code = 2


def need_theme(theme: str) -> None:
    """Refuse a theme that there is not."""
    if theme not in ("light", "dark"):
        raise PictureError(absent("theme", theme, ["light", "dark"]))


@dataclass(frozen=True)
class Picture:
    """A drawn figure; `figure` is matplotlib's, to be changed at will. `text` says in words what is to be seen.

    `made_from` : checksum of the file of the study that it shows; empty without one. `theme` : light or dark.
    """

    kind: str
    figure: Figure
    text: str
    made_from: str = ""
    theme: str = "light"

    def svg(self, *, theme: str | None = None, width: float | None = None) -> str:
        """The picture as SVG.

        Parameters
        ----------
        theme : {"light", "dark"}, optional
            By default that of the picture.
        width : float, optional
            In pixels; by default that of the figure.

        Raises
        ------
        PictureError
            There is no such theme.
        """
        need_theme(theme := theme or self.theme)
        text = _tidy(self._bytes("svg", {"Date": None, "Creator": None}).decode("utf-8"), self.kind, self.text)
        if theme == "dark":
            for colour in COLOURS.values():
                text = text.replace(colour.light, colour.dark)
        if width is not None:
            tall = width * self.figure.get_figheight() / self.figure.get_figwidth()
            size = f' width="{width:g}" height="{tall:g}"'
            text = re.sub(
                r' width="[0-9.]+pt" height="[0-9.]+pt"|(?<=<svg) height="[0-9.]+pt" width="[0-9.]+pt"',
                size,
                text,
                count=1,
            )
        return text

    def png(self) -> bytes:
        """The picture as PNG, 200 pixels an inch."""
        return self._bytes("png", {"Software": None})

    def save(self, path: str | Path, **how: Any) -> Path:
        """Write a file; its ending, svg or png, says which format. An svg takes `theme` and `width`.

        `made_from` is kept in the file: in `<metadata>`, or as PNG text.

        Raises
        ------
        PictureError
            The ending is another, or a png is asked for in the dark theme.
        """
        place = Path(path)
        kind = place.suffix.removeprefix(".").lower()
        if kind not in Image.__members__:
            raise PictureError(f"{place}: a picture's file ends in .{' or .'.join(Image)}; name another with -o")
        if kind != Image.svg and (how.get("theme") or self.theme) != "light":
            raise PictureError(f"{place}: a png has the light theme only; name an svg file for the dark one")
        if kind == Image.svg:
            content = _sourced(self.svg(**how), self.made_from).encode("utf-8")
        else:
            source = {MADE_FROM: f"sha256:{self.made_from}"} if self.made_from else {}
            content = self._bytes("png", {"Software": None, **source})
        write_all(place.parent, [(place.name, bytes_writer(content))])
        return place

    def _bytes(self, kind: str, metadata: dict[str, Any]) -> bytes:
        stream = io.BytesIO()
        with drawing():
            self.figure.savefig(stream, format=kind, metadata=metadata)
        return stream.getvalue()

    def _repr_svg_(self) -> str:
        return self.svg()


def _sourced(svg: str, made_from: str) -> str:
    """The SVG with what it was made from, where that is known."""
    note = f"</title>\n <metadata>{MADE_FROM} sha256:{made_from}</metadata>" if made_from else "</title>"
    return svg.replace("</title>", note, 1)


def _tidy(svg: str, kind: str, text: str) -> str:
    """Names inside that no other picture has, no metadata, a description for screen readers, shorter numbers."""
    from html import escape

    svg = re.sub(r"\n <metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    for reference in (' id="', "url(#", 'href="#'):
        svg = svg.replace(reference, f"{reference}{kind}-")
    svg = re.sub(r' d="[^"]*', lambda path: LONG.sub("", path[0]), svg)
    svg = svg.replace(f"'{FONT}'", FONTS)
    title = f' role="img">\n <title>{escape(text)}</title>'
    return re.sub(r"(<svg [^>]*)>", lambda start: start[1] + title, svg, count=1)
