"""The evidence on the terminal: plain text, 80 columns wide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import fill

from simulator.studies.calibrate.cross_validation import Validated, summaries
from simulator.studies.evidence import cells
from simulator.studies.evidence.study import FAR, Evidence, explained
from simulator.tables.text import WIDTH

NOTE = (
    "z = (simulated - published)/sqrt(SE^2 + MCSE^2); ± is the Monte Carlo standard error. Errors of the published "
    "value: published, derived, design.\nResearch software. A simulated benefit is not a proven one."
)
INDENT = 14  # longest id and a gap
FIGURES = "{:<26}{:<16}{:>5}  {}"

VALIDATED_NOTE = (
    "Each source was left out in turn, the linear model of the rows refitted to the others, and its rows predicted; "
    "shares within 50, 80 and 95 % intervals. z = (published - predicted)/SD; the SD is of parameters, of the cohort's "
    "shift of log D50 and its level of the quantity, and of the published value. fit: how many of its summaries the "
    "calibration uses. own 95 %: in sample, at the catalog's values, with the published value's error alone. Priors "
    "are centred on values that were chosen with these rows in view."
)


def evidence_text(found: Evidence) -> str:
    """Targets by role, agreement, rows that cannot be simulated, known conflicts."""
    lines: list[str] = []
    for role in cells.ROLES:
        lines += [role.capitalize(), *_targets(cells.table(found.scores, role)), ""]
    missing = (_hung(key, f"{what}: {why}", INDENT) for key, what, why in cells.missing(found)[1:])
    lines += ["Not simulated", *missing, "", "Known conflicts", *_blocks(cells.conflicts(found)), ""]
    agreement = (fill(text, WIDTH, subsequent_indent="  ") for text in cells.agreement(found.scores))
    return "\n".join([*lines, f"Agreement of the {found.values} values", *agreement, "", _note()])


def _targets(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Each target on two lines: what it is; what was published and simulated, and how far they are apart."""
    for key, what, published, simulated, z, error, verdict in rows:
        yield _hung(key, what, INDENT)
        told = f"{verdict}, {error}" if key == cells.HEADER[0] or error != "-" else verdict
        yield fill(
            FIGURES.format(published, simulated, z, told),
            WIDTH,
            initial_indent="  ",
            subsequent_indent=" " * 51,
            replace_whitespace=False,
            drop_whitespace=True,
        )


def _hung(key: str, text: str, indent: int) -> str:
    """A key, and text beside it; a long key, which says what it is about, alone."""
    if len(key) > indent:
        return key
    return fill(text, WIDTH, initial_indent=f"{key} ".ljust(indent), subsequent_indent=" " * indent)


def _note() -> str:
    return "\n".join(fill(line, WIDTH) for line in NOTE.splitlines())


def claims_text(found: Evidence) -> str:
    """The article's claims, a block each."""
    return "\n".join([*_blocks(cells.claims(found)), "", _note()])


def left(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of cells as lines, all columns to the left."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _blocks(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows with long cells as blocks: number and title, then the rest with its names."""
    (_, _, *names), *body = rows
    for key, title, *rest in body:
        yield _hung(key, title, 4)
        for name, cell in zip(names, rest, strict=True):
            yield _hung(f"    {name:<10}", cell, 14)


def validated_text(found: Validated) -> str:
    """Cross-validation: a line for each source, then rows beyond 3.5 SD."""
    heads = ["left out", "rows", "fit", "50 %", "80 %", "95 %", "mean z", "SD z", "own 95 %"]
    body = [
        [
            one.source,
            str(one.rows),
            str(one.fitted),
            *(f"{share:.0%}" for share in (one.within_50, one.within_80, one.within_95)),
            f"{one.mean_z:+.2f}",
            f"{one.sd_z:.2f}",
            f"{one.in_sample_95:.0%}",
        ]
        for one in summaries(found)
    ]
    far = [one for one in found.predictions if abs(one.z) > FAR]
    rows = [["row", "published", "predicted", "SD", "z", "conflict"]]
    for one in far:
        why = ", ".join(map(str, explained(one.id))) or "-"
        rows.append([one.id, *map(cells.number, (one.published, one.predicted, one.sd)), f"{one.z:+.1f}", why])
    (mean, low, high), level = found.between, found.level
    return "\n".join(
        [
            *left([heads, *body]),
            "",
            f"Between-cohort SD of log D50: {mean:.2f} ({low:.2f} to {high:.2f}).",
            f"Of a quantity's level, in SDs between people: {level[0]:.2f} ({level[1]:.2f} to {level[2]:.2f}).",
            f"Beyond {FAR} SD:" if far else f"No row beyond {FAR} SD.",
            *(left(rows) if far else ()),
            "",
            fill(VALIDATED_NOTE, WIDTH),
        ]
    )
