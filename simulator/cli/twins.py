"""The command `twins`: untreated and treated courses of each participant of a data set."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Annotated, Any

import typer

from simulator.cli.data import Files, Outcome, Window
from simulator.cli.errors import friendly
from simulator.cli.run import (
    Days,
    Draws,
    DryRun,
    Folder,
    Force,
    Json,
    Scenario,
    Seed,
    Settings,
    Threads,
    note,
    show,
    tables_of,
)

MOST_NAMED = 20
TABLES = (".csv", ".tsv", ".xpt", ".sas7bdat", ".parquet", ".xlsx")
Until = Annotated[
    int, typer.Option("--until-day", min=0, metavar="DAY", help="Match what was measured from baseline to this day.")
]
Number = Annotated[int, typer.Option("--twins", min=10, help="Twins of each participant.")]
PoolSize = Annotated[
    int, typer.Option("--pool", min=0, help="Simulated people among whom twins are looked for; 0: as many as needed.")
]


@friendly
def twins(
    files: Files,
    scenario: Scenario,
    *,
    until_day: Until = 0,
    days: Days = None,
    out: Folder = None,
    number: Number = 2000,
    pool: PoolSize = 0,
    draws: Draws = None,
    outcome: Outcome = "alsfrs_r",
    window: Window = 14.0,
    seed: Seed = None,
    threads: Threads = None,
    settings: Settings = None,
    force: Force = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Untreated and treated courses of each participant. Means, quantiles, chances, scores; who cannot be matched."""
    from simulator.cli.progress import Progress
    from simulator.language import load, parse_setting
    from simulator.results.folder import check_folder, write_folder
    from simulator.results.kinds import TWINS
    from simulator.studies.twins.forecast import plan
    from simulator.studies.twins.study import TwinsOptions, folder_of
    from simulator.studies.twins.study import twins as run

    need_scenario([*map(str, files)], str(scenario))
    chosen = load(scenario, dict(map(parse_setting, settings or ())))
    if out is not None:
        check_folder(out, TWINS, force)
    asked = TwinsOptions(until_day, tuple(days or ()), number, pool, draws or 0, outcome, window)
    if dry_run:
        show(plan([*files], chosen, asked, seed=seed, threads=threads), as_json, tables_of("plan_text"))
        return
    with Progress("people") as progress:
        found = run([*files], chosen, **asked._asdict(), seed=seed, threads=threads, progress=progress)
    folder = out or folder_of(found)
    write_folder(found, folder, force)
    show_twins(found, as_json)
    note(f"Written to {folder}. It holds data of the participants: keep it as you keep these")


def need_scenario(files: list[str], last: str) -> None:
    """Refuse a table in the place of the scenario."""
    from simulator.errors import UsageError

    if last.lower().endswith(TABLES):
        fact = f"{last} is a table, and the last name is that of a scenario"
        raise UsageError(f"{fact}. Add one: als-sim twins {' '.join([*files, last])} generic_als")


def show_twins(found: Any, as_json: bool) -> None:
    """Print twins on stdout."""
    show(document(found) if as_json else found, as_json, text)


def document(found: Any) -> dict[str, Any]:
    """Everything that is printed, and courses and scores, as plain data."""
    heads, scores = found.score_table()
    from simulator.studies.twins.calibration import calibration
    from simulator.studies.twins.external import compared_arms, external
    from simulator.studies.twins.predictive import npde

    return {
        "data": str(found.attrs["data"]),
        "scenario": found.scenario_name,
        "until_day": found.until,
        "outcome": found.outcome,
        "endpoint": found.endpoint or None,
        "participants": [dict(zip(heads, row, strict=True)) for row in scores],
        "courses": [row._asdict() for row in found.courses()],
        "calibration": calibration(found).document() if found.followed else None,
        "npde": dict(zip(("mean", "sd"), npde(found)[:2], strict=True)) if found.followed else None,
        "external": [external(found, [arm]).document() for arm in compared_arms(found)] if found.followed else [],
        "notes": found.notes,
    }


def text(found: Any) -> str:
    """Who was matched, the mean course by arm, who was not."""
    from simulator.tables.text import WIDTH, clean

    lines = [line for one in found.lines() for line in wrap(clean(one), WIDTH, subsequent_indent="  ")]
    told = [*lines[:-1], "", *_means(found)]
    if found.followed:
        told += ["", *_right(found), *_external(found)]
    return "\n".join([*told, *_unmatched(found), "", lines[-1]])


def _right(found: Any) -> Iterator[str]:
    """Calibration beside rivals."""
    from simulator.studies.twins.calibration import METHODS, calibration
    from simulator.studies.twins.predictive import npde
    from simulator.tables.text import WIDTH, aligned

    told = calibration(found)
    yield "Were the twins right? Forecasts of the next measurements, all days"
    rows = [["", "CRPS", "more than twins", "in 50 %", "in 80 %", "in 95 %", "slope"]]
    for name in METHODS:
        row = told.row(name)
        if row.crps.n:
            shares = [_pair(one, 0, 100) for one in (row.within_50, row.within_80, row.within_95)]
            gain = "" if name == "twins" else _pair(row.gain, 2)
            rows.append([name, _pair(row.crps, 2), gain, *shares, _pair(row.slope, 2)])
    yield from aligned(rows)
    words = "; ".join(f"{name}: {what}" for name, what in list(METHODS.items())[1:])
    yield from wrap(f"CRPS: error, less is better. {words}.", WIDTH)
    errors = npde(found)
    yield f"npde: mean {_pair(errors.mean, 2)}, SD {_pair(errors.sd, 2)} (0 and 1 where twins are right)"
    if told.ratio is not None:
        one = told.ratio
        yield f"Events: {one.observed} observed, {one.expected:.1f} expected, ratio {_interval(one, 2)};"
        yield f"concordance {_pair(told.concordance, 2)}"
    for last in told.events[-1:]:
        yield f"Brier score on day {last.day:g}: {_pair(last.brier, 3)}; of Kaplan-Meier {_pair(last.brier_of_all, 3)}"


def _external(found: Any) -> Iterator[str]:
    """Participants beside their untreated twins, arm by arm."""
    from simulator.studies.twins.external import CALLED, compared_arms, external
    from simulator.tables.text import WIDTH, aligned, clean

    arms = compared_arms(found)
    if not arms:
        return
    yield ""
    yield "Participants less their own untreated twins, points"
    for arm in arms:
        one = external(found, [arm])
        rows = [[clean(arm)[:24], "n", "difference", "95 % interval", "SE: sampling", "parameters", "twins", "speed"]]
        for who, visits in (("survivors", one.visits), ("all", one.composite)):
            rows += [[who, *[""] * 7]] if visits else []
            rows += [
                [f"  day {v.day:g}", str(v.n), _number(v.difference, 2), _interval(v, 2, bare=True),
                 _number(v.sampling, 2), _number(v.parameters, 2), _number(v.cohort, 2), _number(v.speed, 2)]
                for v in visits
            ]  # fmt: skip
        yield from aligned(rows)
        if one.events is not None:
            yield f"  events {one.events.observed}, expected {one.events.expected:.1f}: {_interval(one.events, 2)}"
            yield f"  E-value {_number(one.e_value, 1)}"
    words = (
        "All: an event of the data counts as 0. Speed: how fast, relative to twins, participants would have to fall "
        "untreated to explain it. E-value: the rate ratio that something unmeasured must have with treatment and with "
        "the event to explain it."
    )
    yield from wrap(f"{CALLED} {words}", WIDTH)


def _pair(one: Any, digits: int, scale: float = 1) -> str:
    """A figure ± its error."""
    value, error = _number(scale * one.value, digits), _number(scale * one.error, digits)
    return value if error == "–" else f"{value} ± {error}"


def _number(value: float, digits: int) -> str:
    from simulator.tables.numbers import fixed

    return "–" if value != value else fixed(value, digits)  # noqa: PLR0124


def _interval(one: Any, digits: int, *, bare: bool = False) -> str:
    """An estimate with its 95 % interval."""
    limits = f"{_number(one.lower, digits)} to {_number(one.upper, digits)}"
    return limits if bare else f"{_number(one.value, digits)} ({limits})"


def _means(found: Any) -> Iterator[str]:
    """Means over participants, beside what was measured of them, by arm and day."""
    from simulator.tables.text import aligned, short

    means = found.means()
    for arm in found.arms:
        rows = [["day", "mean", "next measurement, 90 %", "event-free, %", "measured", "mean"]]
        rows += [
            [f"{row.day:g}", _number(row.mean, 1), f"{_number(row.m05, 1)} to {_number(row.m95, 1)}",
             _number(100 * row.event_free, 1), f"{row.n:,}", _number(row.measured, 1)]
            for row in means if row.arm == arm
        ]  # fmt: skip
        if not rows[1:]:
            continue
        yield f"Twins, {short(arm)}: {found.outcome}, means over participants"
        yield from aligned(rows)


def _unmatched(found: Any) -> Iterator[str]:
    """Who has no twins, and why."""
    from simulator.tables.text import WIDTH, clean

    if not found.unmatched:
        return
    yield ""
    yield f"Without twins: {len(found.unmatched):,}"
    for one in found.unmatched[:MOST_NAMED]:
        yield from wrap(clean(f"{one.id}: {one.reason}"), WIDTH, initial_indent="  ", subsequent_indent="    ")
    if len(found.unmatched) > MOST_NAMED:
        yield f"  and {len(found.unmatched) - MOST_NAMED:,} more, in scores.csv"
    if any("hardly anybody" in one.reason for one in found.unmatched):
        yield "A larger --pool may have people like them"


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("twins")(twins)
