"""The pictures of the README and of the gallery: `python docs/_ext/pictures.py` writes those of the README again."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from html import escape
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "docs" / "pictures"
LETTER, LINE, EDGE = 7.85, 18, 14  # pixels of a letter of 13 px, of a line, around them
SHOWN, WIDTH = "survival", 4.4  # inches: a phone shows it as large as a desktop
WIDTHS = {"wide": 7.2, "narrow": WIDTH}  # classes of docs/_static/pages.css, which shows one of them
GALLERY_PATIENTS = 1000


def terminal(command: str, lines: Iterable[str]) -> str:
    """A command and what it prints, as SVG; text stays text."""
    rows = [f"$ {command}", *lines]
    width = int(2 * EDGE + LETTER * max(map(len, rows)))
    height = 2 * EDGE + LINE * len(rows)
    spans = "".join(
        f'<text x="{EDGE}" y="{EDGE + LINE * k + 13}" xml:space="preserve">{escape(row)}</text>\n'
        for k, row in enumerate(rows)
        if row
    )
    style = "font-family:'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:13px;fill:#e8e8e8"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img">\n<title>What {escape(command)} prints</title>\n'
        f'<rect width="{width}" height="{height}" rx="8" fill="#15181d"/>\n<g style="{style}">\n{spans}</g>\n</svg>\n'
    )


def gallery(folder: Path) -> Iterator[str]:
    """The page of pictures with the command under each; pictures are written beside it."""
    import simulator as sim
    from simulator.report.captions import APART, CAPTIONS, ORDER

    yield "# Gallery\n"
    yield f"Each with the command that draws it, from `als-sim run valor -n {GALLERY_PATIENTS} -o results/valor`;"
    yield "pictures of carriers and of one person from other scenarios, at their end."
    yield "Pictures of [one person](../person.md), [trials](../trials.md), [sweeps](../sweeps.md) and"
    yield "[sensitivity analyses](../sensitivity.md) are on their pages; [what each shows and needs](../report.md).\n"
    done: set[str] = set()
    for scenario, patients in (("valor", GALLERY_PATIENTS), ("prevention", 400), ("case_a", None)):
        result = sim.simulate(sim.load(scenario), patients=patients)
        for kind in sorted(set(result.plot.kinds) - done, key=(*ORDER, *APART).index):
            yield f"## {kind.capitalize()}\n"
            for (size, width), theme in product(WIDTHS.items(), ("light", "dark")):
                result.plot.draw(kind, width=width, theme=theme).save(folder / f"{kind}_{size}_{theme}.svg")
                options = f":alt: {kind}\n:class: {size} only-{theme}\n:loading: lazy"
                yield f"```{{image}} {kind}_{size}_{theme}.svg\n{options}\n```\n"
            yield f"{CAPTIONS[kind]}\n"
            yield f"```sh\nals-sim plot results/{scenario} {kind}\n```\n"
        done |= set(result.plot.kinds)


def main() -> None:
    """Write the pictures of the README."""
    from typer.testing import CliRunner

    import simulator as sim
    from simulator.cli.app import app

    with TemporaryDirectory() as folder:
        place = Path(folder) / "valor"
        printed = CliRunner().invoke(app, ["run", "valor", "-o", str(place)]).stdout
        lines = [line for line in printed.splitlines() if str(place) not in line]
        (PLACE / "answer.svg").write_text(terminal("als-sim run valor", lines), "utf-8")
        sim.open(place).plot.draw(SHOWN, width=WIDTH).save(PLACE / f"{SHOWN}.svg")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
