"""What stands in a report, gathered from a result; the template only lays it out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.language.display import treated
from simulator.measures.headline import headline
from simulator.report import person, tables
from simulator.report.captions import ORDER, Figure, figure
from simulator.report.drivers import Drivers, drivers
from simulator.report.evidence import Evidence, evidence
from simulator.report.people import people
from simulator.report.plots.needs import drawable, drawable_over_draws
from simulator.report.stored_scenario import stored_scenario
from simulator.report.style import drawing
from simulator.studies.answer import Answer, answer
from simulator.studies.person.answer import sentences as person_sentences
from simulator.studies.person.portrait import is_portrait, portrait
from simulator.studies.ranges import stored_ranges
from simulator.units import DAYS_PER_YEAR, how_many
from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario
    from simulator.results import Result

NOT_STATED = "not stated in the scenario"
NOTE = (
    "± is the Monte Carlo standard error: how far a figure would move with other random numbers. The uncertainty "
    "of the values that the model rests on is not in it. A difference is that of the same patients in two arms, "
    "the first minus the second; for a ratio, their ratio.{} As if alive: the course is followed beyond death. "
    "Survivors: those alive that day. Death = 0: who has died scores 0 points."
)
UNPAIRED = " Sums do not know who was who: the errors of differences are upper bounds."


class Pair(NamedTuple):
    """A term and what is said of it."""

    term: str
    text: str


class Page(NamedTuple):
    """All of a report."""

    title: str
    lead: str
    notice: str
    asked: list[Pair]
    arms: list[Pair]
    main: list[tables.Table]
    note: str
    evidence: Evidence | None
    unreadable: str
    warnings: tuple[str, ...]
    pictures: list[Figure]
    tables: list[tables.Table]
    scenario_yaml: str
    citations: list[str]
    provenance: list[Pair]
    estimands: Sequence[Pair] = ()
    answer: Sequence[str] = ()  # a sentence for each comparison, then where its ranges come from
    people: Sequence[tables.Table] = ()
    drivers: Drivers | None = None


def content(result: Result) -> Page:
    """The report of a result; what its data do not allow is left out."""
    found, (scenario, fault) = headline(result), stored_scenario(result)
    said = answer(found, stored_ranges(result))
    return Page(
        title=result.title,
        lead=lead(result),
        notice=found.notice,
        asked=asked(scenario),
        arms=[Pair(arm, treated(scenario, arm)) for arm in result.arms] if scenario else [],
        main=[tables.main(found), *tables.from_onset(found), *_one_person(result)],
        note=NOTE.format("" if result.is_full else UNPAIRED),
        evidence=evidence(scenario) if scenario else None,
        unreadable=fault,
        warnings=result.warnings,
        pictures=pictures(result),
        tables=[*tables.by_day(found), *tables.screening(found)],
        scenario_yaml=str(result.attrs["scenario"]),
        citations=json.loads(result.attrs["citations"]),
        provenance=provenance(result),
        answer=person_sentences(portrait(result)) if is_portrait(result) else sentences(said),
        people=people(result),
        drivers=drivers(result, scenario) if scenario else None,
    )


def sentences(found: Answer) -> list[str]:
    """The answer, and where the ranges of its parameters come from."""
    return [*(one.text for one in found.comparisons), found.source]


def pictures(result: Result) -> list[Figure]:
    """The pictures of a report that can be drawn, in the order of the question."""
    kinds = (drawable_over_draws if result.draws else drawable)(result, ORDER)
    with drawing():
        return [figure(str(kind), result.plot.draw(kind).svg()) for kind in kinds]


def _one_person(result: Result) -> list[tables.Table]:
    """The tables of one person, where the result is one's."""
    return person.tables_of(portrait(result)) if is_portrait(result) else []


def lead(result: Result) -> str:
    """What was simulated, in a sentence."""
    each = how_many(result.n_patients, "simulated patients")
    if is_portrait(result):
        each = f"{how_many(result.n_patients, 'simulated people')} who match what was measured of one person"
    arms = f", each in all of {len(result.arms)} arms with the same random numbers" if len(result.arms) > 1 else ""
    return f"{each}{arms}, followed for {result.follow_up_days / DAYS_PER_YEAR:.1f} years."


def asked(scenario: Scenario | None) -> list[Pair]:
    """The question and what hangs on the answer, in the words of ICH M15."""
    block = scenario.context_of_use if scenario else None
    keys = {
        "question": "Question of interest",
        "context": "Context of use",
        "model_influence": "Model influence",
        "decision_consequence": "Consequence of a wrong decision",
    }
    further = {"model_risk": "Model risk", "model_impact": "Model impact"}
    stated = [Pair(term, getattr(block, key)) for key, term in further.items() if getattr(block, key, None)]
    return [Pair(term, getattr(block, key, None) or NOT_STATED) for key, term in keys.items()] + stated


def provenance(result: Result) -> list[Pair]:
    """Where the numbers come from; nothing of the machine or of who ran it."""
    versions: dict[str, Any] = json.loads(result.attrs["versions"])
    return [
        Pair("Scenario", f"{result.attrs['scenario_name']}, SHA-256 {result.scenario_sha256}"),
        Pair("Seed", str(result.seed)),
        Pair("Arguments", words(result.arguments)),
        Pair("Simulated by", f"als-simulator {result.engine_version}; {words(versions)}"),
        Pair("Report by", f"als-simulator {__version__}"),
        Pair("Again", "als-sim replay DIR runs the folder of this result again and compares every number."),
    ]


def words(pairs: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in pairs.items())


__all__: Sequence[str] = ("Page", "Pair", "content")
