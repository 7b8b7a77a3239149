"""The evidence on the terminal: plain text, never wrapped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simulator.studies.calibrate.cross_validation import Validated, summaries
from simulator.studies.evidence import cells
from simulator.studies.evidence.study import FAR, Evidence, explained

NOTE = (
    "z = (simulated - published)/sqrt(SE^2 + MCSE^2); ± is the Monte Carlo standard error. Errors of the published "
    "value: published, derived, design.\nResearch software. A simulated benefit is not a proven one."
)

VALIDATED_NOTE = (
    "Each source was left out in turn, the linear model of the rows refitted to the others, and its rows predicted.\n"
    "z = (published - predicted)/SD; the SD is of parameters, of the cohort's shift of log D50, and of the published\n"
    "value. fitted: how many of its summaries the calibration uses. in sample: at the catalog's values, with the\n"
    "published value's error alone. Priors are centred on values that were chosen with these rows in view."
)


def evidence_text(found: Evidence) -> str:
    """Targets by role, agreement, rows that cannot be simulated, known conflicts."""
    lines: list[str] = []
    for role in cells.ROLES:
        lines += [role.capitalize(), *left(cells.table(found.scores, role)), ""]
    lines += [
        "Not simulated",
        *left(cells.missing(found)),
        "",
        "Known conflicts",
        *_blocks(cells.conflicts(found)),
        "",
    ]
    return "\n".join([*lines, f"Agreement of the {found.values} values", *cells.agreement(found.scores), "", NOTE])


def claims_text(found: Evidence) -> str:
    """The article's claims, a block each."""
    return "\n".join([*_blocks(cells.claims(found)), "", NOTE])


def left(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of cells as lines, all columns to the left."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _blocks(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows with long cells as blocks: number and title, then the rest with its names."""
    (_, _, *names), *body = rows
    for key, title, *rest in body:
        yield f"{key:<4}{title}"
        for name, cell in zip(names, rest, strict=True):
            yield f"    {name:<10}{cell}"


def validated_text(found: Validated) -> str:
    """Cross-validation: a line for each source, then rows beyond 3.5 SD."""
    heads = ["left out", "rows", "fitted", "in 50 %", "in 80 %", "in 95 %", "mean z", "SD of z", "95 %, in sample"]
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
    mean, low, high = found.between
    return "\n".join(
        [
            *left([heads, *body]),
            "",
            f"Between-cohort SD of log D50: {mean:.2f} ({low:.2f} to {high:.2f}).",
            f"Beyond {FAR} SD:" if far else f"No row beyond {FAR} SD.",
            *(left(rows) if far else ()),
            "",
            VALIDATED_NOTE,
        ]
    )
