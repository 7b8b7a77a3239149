"""What stands in the report of a trial that was run many times."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from simulator.analysis.replicates import Measure
from simulator.report.captions import Figure, figure
from simulator.report.content import Page, Pair, asked, treated, words
from simulator.report.evidence import evidence
from simulator.report.kinds import TrialKind
from simulator.report.stored_scenario import stored_scenario
from simulator.results.notices import NOTICE
from simulator.studies.trial.answer import answer
from simulator.studies.trial.comparisons.shown import NOTE as ARMS
from simulator.studies.trial.comparisons.shown import arms_of
from simulator.studies.trial.estimands import alike, in_words
from simulator.studies.trial.html import named, pair, people, percent, table
from simulator.studies.trial.measures import POWER
from simulator.studies.trial.sizes import LARGEST
from simulator.tables.numbers import when
from simulator.tables.table import Table
from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.studies.trial.result import Trial

NOTE = (
    "± is the Monte Carlo standard error: how far a figure would move with other random numbers. The uncertainty "
    "of the values that the model rests on is not in it{}. Truth: of the estimand, from people simulated in both "
    "arms, of whom nobody leaves. {}: share of all replicates that claim benefit, at a {}; type I: share that claim "
    "benefit or harm in the same people when no treatment has an effect; covered: share of 95 % intervals that hold "
    "the truth; right sign: share of estimates on the side of the truth. log: a logarithm of a ratio."
)
DRAWN = ", save for the {} vectors of the parameter ensemble that replicates take in turn"
HEADLINE = (
    ("{}, %", POWER),
    ("type I, %", "type_one_error"),
    ("covered, %", "coverage"),
    ("right sign, %", "right_sign"),
)
FURTHER = (("bias", "bias", 3), ("SD of estimates", "empirical_se", 3), ("SE, root mean square", "model_se", 3))
COUNTS = (
    ("participants", "Participants", 1),
    ("events", "with the event by then", 1),
    ("left", "who left before", 1),
    ("missing", "not measured at the last visit, without the event", 1),
    ("followed_days", "Mean days followed", 0),
)
LOOKS = (("benefit", "claims benefit, %"), ("harm", "claims harm, %"), ("futility", "futile, %"))


def trial_content(trial: Trial) -> Page:
    """The report of a trial; what was not asked for is left out."""
    scenario, fault = stored_scenario(trial)
    draws = int(trial.arguments["draws"])
    return Page(
        title=trial.title,
        lead=_lead(trial),
        notice=NOTICE,
        asked=asked(scenario),
        arms=[Pair(arm, treated(scenario, arm)) for arm in trial.arms] if scenario else [],
        main=[one for day in trial.days for one in (_headline(trial, day), *_needed(trial, day))],
        note=NOTE.format(DRAWN.format(draws) if draws else "", trial.power_word.capitalize(), str(trial.attrs["test"]))
        + (f" By arm: {ARMS}" if "comparisons" in trial.groups else ""),
        evidence=evidence(scenario) if scenario else None,
        unreadable=fault,
        warnings=trial.warnings,
        pictures=list(_pictures(trial)),
        tables=[one for day in trial.days for one in _tables(trial, day)]
        + [*_looks(trial), *_family(trial), *_arms(trial)],
        scenario_yaml=str(trial.attrs["scenario"]),
        citations=json.loads(trial.attrs["citations"]),
        provenance=_provenance(trial),
        estimands=_estimands(trial),
        answer=list(answer(trial)),
    )


def _lead(trial: Trial) -> str:
    """What was simulated, in a sentence."""
    experimental, control = trial.arms
    truth = int(trial.attrs["people"])
    beside = f"; the truth from {truth:,} people, each in both arms" if truth else ""
    return (
        f"A trial of {trial.size:,} participants, {experimental} against {control}, run {trial.replicates:,} times "
        f"with other people{beside}."
    )


def _headline(trial: Trial, day: float) -> Table:
    """Page one: analyses down, the main operating characteristics across."""
    heads = ["", "truth", "mean estimate", *(head.format(trial.power_word) for head, _ in HEADLINE)]
    body = []
    for name in trial.analyses:
        truth, estimate = (cell.text for cell in table(trial, name, day)[:2])
        body.append(
            [named(trial, name), truth, estimate, *(percent(trial.measure(name, key, day)) for _, key in HEADLINE)]
        )
    return Table(when(day), heads, body)


def _needed(trial: Trial, day: float) -> Iterator[Table]:
    """How many participants a power takes, where that was asked."""
    targets = list(trial.needed(trial.analyses[0], day))
    if targets:
        heads = [
            f"for {trial.a_power} of",
            *(f"{100 * target:g} %" for target in targets),
        ]
        body = [[name, *(people(one, LARGEST) for one in trial.needed(name, day).values())] for name in trial.analyses]
        yield Table(f"Participants needed, {when(day).lower()}", heads, body)


def _pictures(trial: Trial) -> Iterator[Figure]:
    for day in trial.days:
        picture = trial.plot.forest(day)
        svg = picture.svg().replace(f"{TrialKind.forest}-", f"{TrialKind.forest}-{day:g}-")
        yield figure(f"forest-{day:g}", svg)
    if TrialKind.power in trial.plot.kinds:
        yield figure(TrialKind.power, trial.plot.power().svg())


def _tables(trial: Trial, day: float) -> Iterator[Table]:
    """What else is known of a day: measures, what happens in a trial, the population, power by size."""
    heads = ["", *(head for head, _, _ in FURTHER), "with an estimate, %", "covered without an effect, %"]
    body = [
        [
            named(trial, name),
            *(pair(trial.measure(name, key, day), digits) for _, key, digits in FURTHER),
            percent(trial.measure(name, "estimable", day)),
            percent(trial.measure(name, "null_coverage", day)),
        ]
        for name in trial.analyses
    ]
    yield Table(f"{when(day)}, further measures", heads, body)
    rows = [[label, *(pair(trial.count(key, side, day), digits) for side in (0, 1))] for key, label, digits in COUNTS]
    rows.append(["not measured, % of those without the event", *(percent(trial.missing(day, side)) for side in (0, 1))])
    yield Table(f"{when(day)}, in a trial, mean over replicates", ["", *trial.arms], rows)
    duration = [["Days of the calendar, first enrolment to the last analysis", pair(trial.duration(day), 0)]]
    yield Table(f"{when(day)}, duration", ["", "days"], duration)
    yield from _population(trial, day)
    yield from _power(trial, day)


def _population(trial: Trial, day: float) -> Iterator[Table]:
    """Facts from potential outcomes."""
    if "population" not in trial.groups:
        return
    group = trial.groups["population"]
    labels = dict(one.split(": ", 1) for one in group["value"].attrs["long_name"].split("; "))
    names = (str(name) for name in group["quantity"].values)
    body = [[labels[name], pair(trial.fact(name, day), 3)] for name in names]
    yield Table(f"{when(day)}, in {int(trial.attrs['people']):,} people simulated in both arms", ["", "value"], body)


def _power(trial: Trial, day: float) -> Iterator[Table]:
    """Power by size: sizes down, analyses across."""
    if "power" not in trial.groups:
        return
    found = [trial.power(name, day) for name in trial.analyses]
    body = [[f"{size:,}", *(percent(one[size]) for one in found)] for size in found[0]]
    yield Table(f"{when(day)}, {trial.power_word} in % by participants", ["", *trial.analyses], body)


def _looks(trial: Trial) -> Iterator[Table]:
    """What the looks come to, with and without an effect."""
    for key, label in (("interim", "With looks"), ("interim_null", "With looks, no effect")):
        at = {name: one.values for name, one in trial.groups.get(key, {}).items()}
        if at:
            heads = ["", *(head for _, head in LOOKS), "participants", "days", "estimate at the end"]
            body = [
                [
                    str(name),
                    *(percent(Measure(float(at[one][a]), float(at[f"{one}_mcse"][a]))) for one, _ in LOOKS),
                    *(_with(at, one, a, digits) for one, digits in (("participants", 1), ("days", 0), ("value", 3))),
                ]
                for a, name in enumerate(at["analysis"])
            ]
            yield Table(label, heads, body)


def _family(trial: Trial) -> Iterator[Table]:
    """The claims that share the level of the trial."""
    if trial.family:
        body = [[claim, percent(power), percent(error)] for claim, (power, error) in trial.family.items()]
        heads = ["", f"{trial.power_word}, %", "claimed without an effect, %"]
        yield Table(f"Claims at one level: {trial.attrs['procedure']}", heads, body)


def _arms(trial: Trial) -> Iterator[Table]:
    """Several arms against the control."""
    for one in arms_of(trial):
        for what, rows in (("decided", one.decided), ("found", one.found)):
            yield Table(f"{one.analysis}, what is {what} of the arms", rows[0], rows[1:])
        if one.regimens:
            yield Table(f"{one.analysis}, when regimens run, mean", one.regimens[0], one.regimens[1:])


def _with(at: dict[str, Any], name: str, a: int, digits: int) -> str:
    return pair(Measure(float(at[name][a]), float(at[f"{name}_mcse"][a])), digits)


def _estimands(trial: Trial) -> list[Pair]:
    """The scenario's own, then those of the analyses."""
    own = [] if trial.estimand is None else [Pair("The scenario", in_words(trial.estimand))]
    return own + [Pair(names, text) for names, text in alike(trial.estimands).items()]


def _provenance(trial: Trial) -> list[Pair]:
    """Where the numbers come from; nothing of the machine or of who ran it."""
    attrs, versions = trial.attrs, json.loads(trial.attrs["versions"])
    told = {key: json.dumps(value, ensure_ascii=False) for key, value in trial.arguments.items()}
    return [
        Pair("Scenario", f"{attrs['scenario_name']}, SHA-256 {attrs['scenario_sha256']}"),
        Pair("Seed", str(trial.seed)),
        Pair("Arguments", words(told)),
        Pair("Simulated by", f"als-simulator {attrs['engine_version']}; {words(versions)}"),
        Pair("Report by", f"als-simulator {__version__}"),
        Pair("Again", "als-sim replay DIR runs the folder of this trial again and compares every number."),
    ]
