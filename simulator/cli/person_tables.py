"""One person's courses as text, 80 columns wide."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

from simulator.tables.numbers import fixed, with_error
from simulator.tables.text import WIDTH, aligned, clean, short

if TYPE_CHECKING:
    from simulator.studies.person.portrait import AccountItem, Chance, Portrait, Spread

ROOM = 15  # letters of an arm's name
HEADS = ("5 %", "25 %", "median", "75 %", "95 %")
LEGEND = (
    "Quantiles are over simulated people who match what was measured; ± is the Monte",
    "Carlo standard error. Beyond: later than follow-up. PAV: permanent assisted",
    "ventilation. B vs A: B minus A in the same twin; survivors: alive in both.",
)


def portrait_text(found: Portrait) -> str:
    """How the twins were found, their courses, the gain of treatment, what is reported, what is published."""
    lines = [
        clean(found.title),
        f"{found.twins:,} twins of {found.looked_at:,} looked at, {_method(found)}",
        f"effective sample size {found.effective:,.0f}; {100 * found.share_that_fits:.3g} % of all twins fit",
        f"seed {found.seed}, engine {found.engine_version}, scenario {found.scenario_sha256[:12]}",
    ]
    outcomes = dict.fromkeys(row.outcome for row in found.spreads)
    for outcome in outcomes:
        lines += ["", *_block([row for row in found.spreads if row.outcome == outcome], found.arms)]
    for outcome in dict.fromkeys(row.outcome for row in found.chances):
        lines += ["", *_chances([row for row in found.chances if row.outcome == outcome], found.arms)]
    lines += [*_account(found), *_known(found), "", *(f"Warning: {clean(text)}" for text in found.warnings)]
    return "\n".join([*lines, *LEGEND, found.notice])


def _method(found: Portrait) -> str:
    return "accepted in proportion to their likelihood" if found.method == "accept" else "weighed by their likelihood"


def _block(rows: list[Spread], arms: Sequence[str]) -> Iterator[str]:
    """One outcome: arms and times down, quantiles across."""
    yield f"{rows[0].label}, {rows[0].unit}"
    yield from aligned([["", *HEADS], *([_who(row, arms), *_numbers(row)] for row in rows)])


def _who(row: Spread | Chance, arms: Sequence[str]) -> str:
    """Time, and the arm with its letter or the letters of two."""
    letter, other = (chr(ord("A") + arms.index(arm)) if arm else "" for arm in (row.arm, row.against))
    name = (
        f"{letter} vs {other}"
        if other
        else f"{letter} {row.arm if len(row.arm) <= ROOM else row.arm[: ROOM - 1] + '…'}"
    )
    return f"  {clean(name)}" if row.months is None else f"  {row.months:2.0f} mo  {clean(name)}"


def _numbers(row: Spread) -> Iterator[str]:
    for value, error in zip(row.quantiles, row.mcse, strict=True):
        if math.isnan(value):
            yield "nobody"
        elif math.isinf(value):
            yield "beyond"
        else:
            yield with_error(value, error, 1).replace(" ± ", "±")


def _chances(rows: list[Chance], arms: Sequence[str]) -> Iterator[str]:
    yield f"{rows[0].label}, {rows[0].unit}"
    yield from aligned([[_who(row, arms), with_error(row.estimate, row.mcse, 1)] for row in rows])


def _account(found: Portrait) -> Iterator[str]:
    """What is reported of the person, as a percentile."""
    if not found.told:
        return
    yield from ("", "What is told, and the share of twins who do at least as well")
    for one in found.told:
        yield from _wrapped(f"“{clean(one.quote)}”", "  ")
        yield from _wrapped(_sentence(one), "    ")
    for row in found.together:
        yield f"  {short(row.arm)}: {row.label.lower()}: {with_error(row.estimate, row.mcse, 2)} %"


def _sentence(one: AccountItem) -> str:
    when = "" if one.months is None else f" at {one.months:g} months"
    half = "dead or worse" if math.isinf(one.middle) else f"{fixed(one.middle, 1)} {one.unit}"
    share = with_error(one.at_least_as_well, one.mcse, 1)
    place = 100 - one.at_least_as_well
    return (
        f"{short(one.arm)}: {one.label}{when} of {one.value:g} {one.unit}; half of the twins: {half}; "
        f"at least as well: {share} %, so it stands at percentile {place:.1f} (0 is worst)"
    )


def _known(found: Portrait) -> Iterator[str]:
    if not found.known:
        return
    yield from ("", "Published beside it (not used to choose twins)")
    for one in found.known:
        recalled = "" if one.read_in_source else "; recalled, not read in the source"
        text = f"{one.id} {one.quantity}, {one.population}: {one.value:g} {one.unit} [{one.source}{recalled}]"
        yield from _wrapped(clean(text), "  ")
    yield "  Who is alive now has outlived some of the genotype: twins live longer."


def _wrapped(text: str, indent: str) -> Iterable[str]:
    return [fill(text, WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False)]
