"""What stands in the report of a sweep; the template of a run's report lays it out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from simulator.language.listing import unit_of
from simulator.report.captions import figure
from simulator.report.content import Page, Pair, asked, treated
from simulator.report.evidence import evidence
from simulator.report.stored_scenario import stored_scenario
from simulator.results.notices import NOTICE
from simulator.studies.sweep.text import about_errors, cells, columns, ranges
from simulator.tables.table import Table
from simulator.units import DAYS_PER_YEAR, how_many
from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.language.blocks.sweep import Sweep as Block
    from simulator.language.scenario import Scenario
    from simulator.studies.sweep.outcomes import Outcome
    from simulator.studies.sweep.result import Sweep

FIRST_PAGE = 9
"""Points on page one, where one number was varied."""
SIDE_BY_SIDE = 4  # outcomes that fit a page
LISTED = 1_000
"""Points in the tables; more are in the files beside the report."""
CHANCE = ("ensemble", "priors")


def sweep_content(sweep: Sweep) -> Page:
    """The report of a sweep."""
    outcomes, (scenario, block, fault) = sweep.outcomes(), _base(sweep)
    return Page(
        title=sweep.title,
        lead=_lead(sweep),
        notice=NOTICE,
        asked=[*asked(scenario), *_varied(sweep)],
        arms=[Pair(arm, _given(sweep, scenario, arm)) for arm in sweep.arms] if scenario else [],
        main=_main(sweep, outcomes),
        note=_note(sweep, outcomes),
        evidence=evidence(scenario) if scenario else None,
        unreadable=fault,
        warnings=_warnings(sweep),
        pictures=[figure(picture.kind, picture.svg()) for picture in map(sweep.plot.draw, sweep.plot.kinds)],
        tables=[*_points(sweep, outcomes), *_failed(sweep)],
        scenario_yaml=str(sweep.attrs["scenario"]),
        citations=list(scenario.citations()) if scenario else [],
        provenance=_provenance(sweep, block),
    )


def _base(sweep: Sweep) -> tuple[Scenario | None, Block | None, str]:
    """What the points change, the stored scenario with what its block sets, and the block; or why it cannot be read."""
    scenario, fault = stored_scenario(sweep)
    block = scenario.sweep if scenario and sweep.attrs["method"] != "given" else None
    if scenario and block and block.set:
        scenario = scenario.replace({"sweep": None, **block.set})
    return scenario, block, fault


def _lead(sweep: Sweep) -> str:
    """What was simulated, in a sentence."""
    arms = f" in each of {len(sweep.arms)} arms" if len(sweep.arms) > 1 else ""
    times = f", {sweep.replicates} times" if sweep.replicates > 1 else ""
    same = "with the same people and random numbers in every point"
    if sweep.attrs["random_numbers"] != "common":
        same = "with other people and random numbers in every point"
    years = float(sweep.attrs["follow_up_days"]) / DAYS_PER_YEAR
    points = f"{sweep.n_points:,} {'points' if sweep.n_points > 1 else 'point'}"
    return f"{points} of {sweep.n_patients:,} simulated patients{arms}{times}, {same}, followed for {years:.1f} years."


def _varied(sweep: Sweep) -> list[Pair]:
    """What was varied, over which values, and where it stands in the scenario."""
    found = []
    for address in sweep.addresses:
        values = sweep.values(address)
        count = len(set(values.tolist()))
        span = f"{count:,} values" if count > 1 else "1 value"
        if values.dtype.kind in "if":
            span += f", {np.nanmin(values):.6g} to {np.nanmax(values):.6g}"
        unit = unit_of(address.rpartition(".")[2])
        found.append(Pair(f"Varied: {sweep.label(address)}", f"{span}{' ' if unit else ''}{unit}; address {address}"))
    return found


def _given(sweep: Sweep, scenario: Scenario, arm: str) -> str:
    """What an arm is given; where the points change that, that they do."""
    mine = [sweep.label(address) for address in sweep.addresses if address.split(".")[:2] == ["arms", arm]]
    text = treated(scenario, arm) if arm in scenario.arms else "as the points say"
    return f"{text}; varied: {', '.join(mine)}" if mine and arm in scenario.arms else text


def _main(sweep: Sweep, outcomes: Sequence[Outcome]) -> list[Table]:
    """Page one: some points in the order of the one number that was varied, or the range over all of them."""
    if len(sweep.addresses) == 1 or sweep.n_points <= FIRST_PAGE:
        step = np.linspace(0, sweep.n_points - 1, min(FIRST_PAGE, sweep.n_points))
        rows = [int(k) for k in np.unique(np.rint(step))]
        what = f"{len(rows)} of {sweep.n_points:,} points" if len(rows) < sweep.n_points else "All points"
        return _by_point(sweep, outcomes, rows, what)
    shown = ranges(sweep, outcomes)
    names = [row[0] for row in shown.rows[: len(sweep.addresses)]] + [_name(one) for one in outcomes]
    body = [[name, *row[1:]] for name, row in zip(names, shown.rows, strict=True)]
    return [Table(f"Over {sweep.n_points:,} points", shown.heads, body, (len(sweep.addresses),))]


def _points(sweep: Sweep, outcomes: Sequence[Outcome]) -> list[Table]:
    """Every point, or the first of very many."""
    rows = range(min(sweep.n_points, LISTED))
    rest = f"; the first {LISTED:,} of {sweep.n_points:,}, all are in sweep.nc" if sweep.n_points > LISTED else ""
    return _by_point(sweep, outcomes, rows, f"Points{rest}")


def _by_point(sweep: Sweep, outcomes: Sequence[Outcome], rows: Sequence[int], caption: str) -> list[Table]:
    """What points set and what came of it, in as many tables as fit a page."""
    first = columns(sweep)
    found = []
    for start in range(0, len(outcomes), SIDE_BY_SIDE):
        some = outcomes[start : start + SIDE_BY_SIDE]
        there = [cells(sweep, one) for one in some]
        lines = [[str(k), *first.rows[k], *(column[k] for column in there)] for k in rows]
        found.append(Table(caption, ["point", *first.heads, *map(_name, some)], lines))
    return found


def _failed(sweep: Sweep) -> list[Table]:
    """Points that could not be simulated, and why."""
    rows = [
        [str(one.point), ", ".join(f"{address} = {value}" for address, value in one.settings.items()), one.message]
        for one in sweep.failures[:LISTED]
    ]
    return [Table(f"{len(sweep.failures):,} points that failed", ["point", "set", "why"], rows)] if rows else []


def _name(outcome: Outcome) -> str:
    return f"{outcome.label}, {outcome.unit}"


def _warnings(sweep: Sweep) -> tuple[str, ...]:
    failed = len(sweep.failures)
    return (f"{failed:,} of {sweep.n_points:,} points failed and are missing above.",) if failed else ()


def _note(sweep: Sweep, outcomes: Sequence[Outcome]) -> str:
    """What must be known to read the tables."""
    parts = ["± is the Monte Carlo standard error: how far a figure would move with other random numbers."]
    if sweep.attrs["method"] in CHANCE:
        parts.append("The points are drawn from what is believed of the values; their range shows that uncertainty.")
    else:
        parts.append("The uncertainty of the values that the model rests on is not in it.")
    if any(one.wanted.against for one in outcomes):
        parts.append("A difference is that of the same patients in two arms, the first minus the second.")
    return " ".join([*parts, *about_errors(outcomes)])


def _provenance(sweep: Sweep, block: Block | None) -> list[Pair]:
    """Where the numbers come from; nothing of the machine or of who ran it."""
    attrs = sweep.attrs
    numbers = str(attrs["random_numbers"])
    again = f"als-sim sweep DIR/scenario.resolved.yaml -o DIR -n {sweep.n_patients} --seed {sweep.seed}"
    if block is None or (block.replicates, block.random_numbers) != (sweep.replicates, numbers):
        again = (
            f"simulator.sweep(scenario{'' if block else ', points'}, folder=DIR, patients={sweep.n_patients}, "
            f'seed={sweep.seed}, replicates={sweep.replicates}, random_numbers="{numbers}")'
        )
    return [
        Pair("Scenario", f"{attrs['scenario_name']}, SHA-256 {sweep.scenario_sha256}"),
        Pair("Points", f"{how_many(sweep.n_points, 'points')}, method {attrs['method']}"),
        Pair("Each point", f"{how_many(sweep.n_patients, 'patients')}, {how_many(sweep.replicates, 'replicates')}"),
        Pair("Random numbers", f"seed {sweep.seed}, {numbers}"),
        Pair("Simulated by", f"als-simulator {attrs['engine_version']}"),
        Pair("Report by", f"als-simulator {__version__}"),
        Pair("Again", f"{again} goes on where points are missing; in an empty DIR it simulates all of them again."),
    ]
