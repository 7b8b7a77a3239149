"""A result as a notebook shows it: what was run, the headline numbers with their errors, the warnings."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from simulator.results.notices import NOTICE
from simulator.results.tidy import DRAWN, over_draws
from simulator.units import how_many, minus

if TYPE_CHECKING:
    from simulator.results.tree import Result


class _Line(NamedTuple):
    """A metric of the summary as the table shows it."""

    name: str
    label: str
    digits: int


_LINES = (
    _Line("alsfrs_r_death0_mean", "ALSFRS-R, mean, the dead at 0", 2),
    _Line("alsfrs_r_change_mean", "ALSFRS-R change, survivors", 2),
    _Line("svc_change_mean", "SVC change, survivors, percentage points", 1),
    _Line("nfl_plasma_ratio_mean", "NfL, ratio to baseline, geometric mean", 3),
    _Line("sod1_csf_mean", "CSF SOD1, ratio to baseline, geometric mean", 3),
    _Line("event_free", "Event-free probability", 3),
)


def html(result: Result) -> str:
    """HTML of a result; every text from a scenario is escaped."""
    day = headline_time(result)
    head = "".join(f"<th>{escape(arm)}</th>" for arm in result.arms)
    lines = [line for line in _LINES if line.name in result.groups["summary"]]
    body = "".join(f"<tr><th>{escape(line.label)}</th>{_cells(result, line, day)}</tr>" for line in lines)
    notes = "".join(f"<li>{escape(text)}</li>" for text in result.warnings)
    return minus(
        f"<div><h4>{escape(result.title)}</h4>"
        f"<p>{how_many(result.n_patients, 'patients')} in each arm, seed {result.seed}, {result.follow_up_days:g} "
        "days; engine "
        f"{escape(result.engine_version)}, scenario {escape(result.scenario_sha256[:12])}</p>"
        f"<table><thead><tr><th>Day {result.time[day]:g}{_figures(result)}</th>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
        f"{f'<ul>{notes}</ul>' if notes else ''}<p><small>{NOTICE}</small></p></div>"
    )


def headline_time(result: Result) -> int:
    """Index of the last day of analysis, or of the last time."""
    days = [day for day in result.analysis_days if day in result.time]
    return int(list(result.time).index(max(days))) if days else len(result.time) - 1


def _figures(result: Result) -> str:
    """What stands in a cell."""
    if not result.draws:
        return " ± Monte Carlo standard error"
    low, high = (f"{100 * p:g}" for p in DRAWN)
    return f": median ({low}–{high} %) of {result.draws} parameter vectors ± Monte Carlo standard error of one"


def _cells(result: Result, line: _Line, day: int) -> str:
    group, d = result.groups["summary"], line.digits
    value, mcse = (group[name].values[..., day] for name in (line.name, f"{line.name}_mcse"))
    if not result.draws:
        cells = (f"<td>{x:.{d}f} ± {error:.{d}f}</td>" for x, error in zip(value, mcse, strict=True))
        return "".join(cell.replace("nan", "?") for cell in cells)
    columns = zip(*over_draws(value, mcse), strict=True)
    return "".join(f"<td>{x:.{d}f} ({a:.{d}f} to {b:.{d}f}) ± {error:.{d}f}</td>" for x, a, b, error in columns)
