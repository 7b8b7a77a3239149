"""A sensitivity analysis on the terminal: at most 80 columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from textwrap import wrap
from typing import Any

from simulator.analysis.intervals import reach
from simulator.analysis.sensitivity.sobol import ENOUGH
from simulator.studies.sensitivity.document import Sensitivity
from simulator.tables.numbers import fixed, with_error
from simulator.tables.text import WIDTH, aligned, clean

NAME = 26
TINY = 0.0005


def text(found: Sensitivity) -> str:
    """The table of an analysis, with what must be known to read it."""
    head = [clean(found.title), *wrap(_label(found), WIDTH)]
    foot = wrap(f"{found.warning} {found.notice}".strip(), WIDTH)
    return "\n".join([*head, *BLOCKS[found.method](found), "", *foot])


def _label(found: Sensitivity) -> str:
    unit = f", {found.unit}" if found.unit else ""
    how = f"{found.points:,} points" if found.points > 1 else "1 point"
    people = "the same people" if found.random_numbers == "common" else "other people"
    return f"{found.label}{unit}. {how} × {found.replicates} replicates × {found.patients:,} patients, {people} in each"


def _name(row: Any, most: int = NAME) -> str:
    """A name that leaves room for numbers: of an address the end."""
    text = clean(row.name)
    return text if len(text) <= most else f"…{text[1 - most :]}"


def _one_way(found: Sensitivity) -> Iterator[str]:
    """Values at two percentiles, the outcome there, the difference."""
    d = found.digits
    yield f"As the scenario has it: {with_error(found.figures['base'], found.figures['base_mcse'], d)}"
    yield ""
    rows = [["", "5th", "95th", "outcome at", "and at", "difference"]]
    rows += [
        [_name(row), f"{row.low:.3g}", f"{row.high:.3g}", fixed(row.at_low, d), fixed(row.at_high, d), _swing(row, d)]
        for row in found.rows
        if row.swing != 0
    ]
    yield from aligned(rows)
    yield from _nothing([row.name for row in found.rows if row.swing == 0])
    yield ""
    yield from wrap(
        "Each value at the 5th and at the 95th percentile of its prior, the others as they are. ± is the Monte Carlo "
        f"standard error of the difference{_behind(found)}.",
        WIDTH,
    )


def _behind(found: Sensitivity) -> str:
    """How many replicates tell an error, and how far a 95 % interval then reaches."""
    count = found.replicates
    return f" over {count} replicates: a 95 % interval is {float(reach(count)):.1f} of it" if count > 1 else ""


def _or_blank(value: float, digits: int) -> str:
    return "" if math.isnan(value) else fixed(value, digits)


def _or_unknown(value: float, digits: int) -> str:
    return "?" if math.isnan(value) else f"{value:,.{digits}f}"


def _swing(row: Any, digits: int) -> str:
    return fixed(row.swing, digits) if math.isnan(row.mcse) else with_error(row.swing, row.mcse, digits)


def _nothing(names: list[str]) -> Iterator[str]:
    if names:
        yield from wrap(f"Change nothing: {', '.join(map(clean, names))}", WIDTH, subsequent_indent="  ")


def _sobol(found: Sensitivity) -> Iterator[str]:
    """First and total order with their intervals."""
    figures, d = found.figures, found.digits
    yield f"Mean {fixed(figures['mean'], d)}, SD over the priors {fixed(figures['sd'], d)}"
    if found.replicates > 1:
        share = f"{figures['noise_share']:.1%}"
        yield f"Noise is {share} of the variance of one run; the indices are free of it"
    else:
        yield "One replicate: the indices count Monte Carlo noise as influence"
    yield ""
    rows = [["", "first", "95 % interval", "total", "95 % interval"]]
    shown = [row for row in found.rows if max(abs(row.total), row.total_upper) >= TINY or math.isnan(row.total)]
    for row in shown:
        cells = [_interval(row, key) for key in ("first", "total")]
        rows.append([_name(row), *cells[0], *cells[1]])
    yield from aligned(rows)
    yield from _nothing([row.name for row in found.rows if row not in shown])
    yield ""
    yield from wrap(
        "Shares of the variance. First order: the value alone. Total: with its interactions. Priors count as "
        "independent; what is near 0 may come out below it. " + _same(found),
        WIDTH,
    )


def _interval(row: Any, key: str) -> tuple[str, str]:
    value, low, high = (getattr(row, name) for name in (key, f"{key}_lower", f"{key}_upper"))
    return f"{value:.3f}", f"{low:.2f} to {high:.2f}"


def _same(found: Sensitivity) -> str:
    if found.random_numbers == "common" and found.replicates < ENOUGH:
        return f"All points have the same people; how these differ is in the intervals from {ENOUGH} replicates on."
    return ""


def _morris(found: Sensitivity) -> Iterator[str]:
    """Elementary effects."""
    d = found.digits
    yield ""
    rows = [["", "mean |effect|", "95 %", "mean effect", "SD", "noise"]]
    shown = [row for row in found.rows if row.mean_abs != 0]
    for row in shown:
        size = fixed(row.mean_abs, d), f"± {_or_unknown(row.half_width, d)}"
        rows.append([_name(row), *size, fixed(row.mean, d), fixed(row.sd, d), _or_blank(row.noise, d)])
    yield from aligned(rows)
    yield from _nothing([row.name for row in found.rows if row not in shown])
    yield ""
    yield from wrap(
        "Effect: the change of the outcome per range, from the 5th to the 95th percentile. A large SD: curvature or "
        "interactions, beyond what noise alone gives.",
        WIDTH,
    )


def _ensemble(found: Sensitivity) -> Iterator[str]:
    """Variance shares over draws."""
    figures, d = found.figures, found.digits
    low, middle, high = (fixed(figures[key], d) for key in ("p5", "p50", "p95"))
    yield f"Median {middle}, 5th to 95th percentile {low} to {high}; SD without noise {fixed(figures['sd'], d)}"
    yield ""
    rows = [["", "alone", "added to others"]]
    rows += [
        [_name(row), f"{row.alone:.3f} ± {_or_unknown(row.alone_se, 3)}", f"{row.added:.3f}"] for row in found.rows
    ]
    yield from aligned(rows)
    yield ""
    yield from wrap(
        "Shares of the variance over draws. Alone: what a value says on its own, with what it shares with others. "
        f"Added: what it adds to all others in straight lines, which explain {figures['explained']:.0%} together. "
        f"{_noise(figures['noise_share'])} A share near 0 may come out below it. {_same(found)}",
        WIDTH,
    )


def _noise(share: float) -> str:
    if math.isnan(share):
        return "One replicate: the variance is that of the noise too, and what it does in these people counts."
    return f"Noise, {share:.1%} of the variance, is taken out."


def _evpi(found: Sensitivity) -> Iterator[str]:
    """Options, then what knowing more is worth."""
    yield ""
    rows = [["", "life years", "QALYs", "costs", "net benefit", "best in"]]
    for one in found.options:
        name, net = _name(one, 20), f"{one.net_benefit:,.0f} ± {_or_unknown(one.se, 0)}"
        rows.append([name, f"{one.life_years:.3f}", f"{one.qalys:.3f}", f"{one.costs:,.0f}", net, f"{one.best:.0%}"])
    yield from aligned(rows)
    figures, best = found.figures, found.options[int(found.figures["best"])]
    lower = figures["evpi_lower"]
    bound = "" if math.isnan(lower) else f"; at least {lower:,.0f} with the noise of simulation taken against it"
    yield ""
    yield from wrap(
        f"Best on average: {best.name}. Perfect information is worth {figures['evpi']:,.0f} ± "
        f"{_or_unknown(figures['evpi_se'], 0)} {found.unit} a patient{bound}.{_people(found)}",
        WIDTH,
    )
    yield from _research(figures, found.unit)
    yield ""
    table = [["worth of knowing", "EVPPI", "noise floor"]]
    shown = [row for row in found.rows if row.evppi > 0 and not row.evppi <= row.floor]
    table += [[_name(row), f"{row.evppi:,.0f} ± {_or_unknown(row.se, 0)}", _or_unknown(row.floor, 0)] for row in shown]
    yield from aligned(table) if shown else iter(["No single value is worth knowing: none is above what noise gives."])
    left = [row.name for row in found.rows if row not in shown]
    yield from wrap(f"Not above the floor: {', '.join(left)}", WIDTH, subsequent_indent="  ") if left else ()


def _people(found: Sensitivity) -> str:
    """What the errors hold where the same people are in every draw."""
    if found.random_numbers != "common":
        return ""
    if found.replicates < 2:
        return " The people are the same in every draw; with one replicate nothing tells how they differ."
    return f" The people are the same in every draw; how they differ is told by {found.replicates} replicates."


def _research(figures: dict[str, float], unit: str) -> Iterator[str]:
    """Whether the study may be worth its cost."""
    if "research_cost" not in figures:
        return
    worth, error, cost = (figures[f"research_{key}"] for key in ("worth", "se", "cost"))
    is_noise = worth <= figures["research_floor"]
    below = worth + 2 * (0.0 if math.isnan(error) else error) < cost
    verdict = "more points or replicates must tell whether it is worth it" if is_noise else "it may be worth running"
    verdict = "it is not worth running" if below else verdict
    yield ""
    yield from wrap(
        f"The study: to {figures['research_patients']:,.0f} patients it is worth at most {worth:,.0f} ± "
        f"{_or_unknown(error, 0)} {unit}{', which is no more than noise gives' if is_noise and worth > 0 else ''}; "
        f"it costs {cost:,.0f}: {verdict}.",
        WIDTH,
    )


BLOCKS: dict[str, Callable[[Sensitivity], Iterator[str]]] = {
    "oneway": _one_way,
    "sobol": _sobol,
    "morris": _morris,
    "ensemble": _ensemble,
    "evpi": _evpi,
}
