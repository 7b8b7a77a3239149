"""Checks that look at more than one section: the schema knows each section on its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

from simulator.language.care import Epoch
from simulator.language.faults import Path, Problem, printable, suggest
from simulator.mechanisms import Dosed
from simulator.models import MODELS
from simulator.quantities import Quantity

TOLERANCE = 1e-6
REST = "Remove its when; who of the strata is enrolled, trial.counts says"
Check = Callable[[Any], Iterator[Problem]]
CHECKS: list[tuple[tuple[str, ...], Check]] = []


def reads(*sections: str) -> Callable[[Check], Check]:
    """Register a check with the sections it needs; it is left out while one of them is faulty."""

    def register(check: Check) -> Check:
        CHECKS.append((sections, check))
        return check

    return register


def problems(scenario: Any, faulty: Iterable[str] = ()) -> list[Problem]:
    """All problems that the checks find in the sections that are in order.

    Parameters
    ----------
    scenario : Scenario
        Complete, or holding only the sections in order.
    faulty : iterable of str
        Sections to leave alone.
    """
    bad = set(faulty)
    return [problem for sections, check in CHECKS if not bad & set(sections) for problem in check(scenario)]


def is_in_order(scenario: Any, changed: frozenset[str]) -> bool:
    """Whether a scenario has no problem; all but the sections `changed` are those of one that has none."""
    return not any(True for check in _reading(changed) for _ in check(scenario))


@cache
def _reading(sections: frozenset[str]) -> tuple[Check, ...]:
    """The checks that read one of the sections; those of a sweep's addresses read all."""
    return tuple(check for read, check in CHECKS if not sections.isdisjoint(read) or "sweep" in read)


def _sum_to_one(shares: Mapping[str, Quantity], path: Path) -> Iterator[Problem]:
    """Shares must add up to 1."""
    total = sum(share.value for share in shares.values())
    if abs(total - 1) > TOLERANCE:
        yield Problem(path, f"the shares add up to {total:.6g}, not 1", "Correct the shares")


@reads("disease")
def _shares(scenario: Any) -> Iterator[Problem]:
    """Variants and sites of onset are everybody's."""
    disease = scenario.disease
    variants = {name: variant.share for name, variant in disease.variants.items()}
    yield from _sum_to_one(variants, ("disease", "variants"))
    sites = {name: getattr(disease.onset_site, name) for name in type(disease.onset_site).model_fields}
    yield from _sum_to_one(sites, ("disease", "onset_site"))


@reads("disease", "progression")
def _parameters_by_variant(scenario: Any) -> Iterator[Problem]:
    """Every variant has its parameters, and there are none of variants that nobody carries."""
    variants = scenario.disease.variants
    for key in MODELS[scenario.progression.model].BY_VARIANT:
        given = getattr(scenario.progression, key)
        for name in given:
            if name not in variants:
                remedy = suggest(name, variants, "Variants of the disease")
                yield Problem(("progression", key, name), f"no patient carries {printable(name)}", remedy, True)
        lacking = [name for name in variants if name not in given]
        for name in lacking:
            fact = f"there is no {key} of {printable(name)}, neither here nor in the catalog"
            remedy = _variant_remedy(name, given, key)
            yield Problem(("disease", "variants", name), fact, remedy, True)


def _variant_remedy(name: str, given: Mapping[str, Any], key: str) -> str:
    """A near miss, or where to write the parameter."""
    from simulator.catalog import entry, names

    known = {
        variant
        for disease in names("disease")
        for part in entry("disease", disease).get("progression", {}).values()
        for variant in part.get(key, {})
    }
    aliases = {alias for disease in names("disease") for alias in entry("disease", disease).get("aliases", {})}
    hint = suggest(name, sorted(known | aliases), "")
    write = f"rite progression.{key}.{printable(name)}"
    return f"{hint} If not, w{write}" if hint.startswith("Did") else f"W{write}"


@reads("strata")
def _strata(scenario: Any) -> Iterator[Problem]:
    """Shares add up; every stratum but the last, the complement, says who belongs to it."""
    strata = scenario.strata or {}
    if not strata:
        return
    yield from _sum_to_one({name: stratum.share for name, stratum in strata.items()}, ("strata",))
    *first, last = strata
    for name in first:
        if strata[name].when is None:
            fact = "the stratum does not say who belongs to it"
            yield Problem(("strata", name), fact, "Add when; only the last has none")
    if strata[last].when is not None:
        yield Problem(("strata", last, "when"), "the last stratum takes everybody else", REST)


@reads("entry", "strata")
def _rates_at_onset(scenario: Any) -> Iterator[Problem]:
    """A progression rate since onset has no meaning at onset or before it."""
    early = scenario.entry.presymptomatic_at_age is not None
    if scenario.entry.at_onset is None and not early:
        return
    rules: list[tuple[Path, Any]] = [(("entry", "eligible"), scenario.entry.eligible)]
    for name, stratum in (scenario.strata or {}).items():
        rules.append((("strata", name, "eligible"), stratum.eligible))
        rules.extend((("strata", name, "when", i), rule) for i, rule in enumerate(stratum.when or []))
    for path, rule in rules:
        if rule is not None and rule.progression_rate is not None:
            fact = f"there is no progression rate {'before' if early else 'at'} onset"
            yield Problem((*path, "progression_rate"), fact, "Remove the rule, or let people enter later")
        if early and rule is not None and rule.time_since_onset_months is not None:
            fact = "there is no time since onset before onset"
            yield Problem((*path, "time_since_onset_months"), fact, "Remove the rule, or let people enter later")


@reads("treatments", "arms")
def _arms(scenario: Any) -> Iterator[Problem]:
    """Epochs name known treatments, at most one drug in doses, in order and without overlap."""
    for arm, epochs in scenario.arms.items():
        for number, epoch in enumerate(epochs):
            yield from _epoch(epoch, ("arms", arm, number), scenario.treatments)
        yield from _order(epochs, ("arms", arm))
        yield from _one_drug(epochs, ("arms", arm), scenario.treatments)


def _epoch(epoch: Epoch, path: Path, treatments: Mapping[str, Any]) -> Iterator[Problem]:
    """One epoch on its own."""
    for place, name in enumerate(epoch.treatments):
        at = (*path, "treatments", place)
        if name not in treatments:
            yield Problem(at, f"there is no treatment {printable(name)}", suggest(name, treatments, "Treatments"))
        elif name in epoch.treatments[:place]:
            yield Problem(at, f"{printable(name)} stands here twice", "Remove one")
    dosed = [name for name in epoch.treatments if isinstance(treatments.get(name), Dosed)]
    if epoch.reload and not dosed:
        yield Problem((*path, "reload"), "no drug of the epoch is loaded", "Remove reload")
    if len(set(dosed)) > 1:
        kinds = " and ".join(dict.fromkeys(treatments[name].kind for name in dosed))
        fact = f"two {kinds} treatments at once: {' and '.join(map(printable, dosed))}"
        yield Problem((*path, "treatments"), fact, "Keep one of them in an epoch")
    if set(epoch.starts) == set(epoch.ends) and (epoch.to_day or 0) <= epoch.from_day:
        fact = f"the epoch ends on day {epoch.to_day or 0}, not after its start on day {epoch.from_day}"
        yield Problem((*path, "to_day"), fact, "Correct from_day or to_day")


def _one_drug(epochs: list[Epoch], path: Path, treatments: Mapping[str, Any]) -> Iterator[Problem]:
    """An arm has one drug given in doses at most, though it may come in several epochs."""
    first = ""
    for number, epoch in enumerate(epochs):
        dosed = [name for name in epoch.treatments if isinstance(treatments.get(name), Dosed)]
        first = first or next(iter(dosed), "")
        if dosed and dosed[0] != first:
            fact = f"the arm goes over from {printable(first)} to {printable(dosed[0])}"
            yield Problem((*path, number, "treatments"), fact, f"Keep one {treatments[first].kind} treatment in an arm")


def _order(epochs: list[Epoch], path: Path) -> Iterator[Problem]:
    """Each epoch begins when or after the one before it has ended."""
    for number, (one, two) in enumerate(pairwise(epochs)):
        end = one.to_day or 0
        if not one.ends:
            fact = f"epoch {number} has no end, but another follows"
            yield Problem((*path, number), fact, "Add to_day or until")
        elif set(one.ends) == set(two.starts) and two.from_day < end:
            fact = f"the epoch begins on day {two.from_day}, before the one before it ends on day {end}"
            yield Problem((*path, number + 1, "from_day"), fact, "Order the epochs so that they do not overlap")


def _written_days(scenario: Any, section: str) -> Iterator[tuple[Path, int | None]]:
    """Days of a section that must lie within follow-up."""
    block = getattr(scenario, section)
    listed = {"visits": "days", "output": "days", "trial": "analysis_days"}
    if block is not None and section in listed:
        for number, day in enumerate(getattr(block, listed[section]) or []):
            yield (section, listed[section], number), day
    if section in ("sensitivity", "decision") and block is not None:
        yield (section, "day"), block.day
    if section == "trial" and block is not None and block.lead_in is not None:
        yield (section, "lead_in", "days"), block.lead_in.days
    if section == "sweep" and block is not None and not varies(block, "follow_up_days"):
        for number, shown in enumerate(block.outcomes or []):
            yield (section, "outcomes", number, "day"), shown.day


def varies(sweep: Any, section: str) -> bool:
    """Whether a sweep gives a section of the scenario other values."""
    addresses = (address for part in (sweep.set, sweep.parameters, sweep.across) for address in part or {})
    return any(address.partition(".")[0] == section for address in addresses)


def _within_follow_up(section: str) -> None:
    """Register the check of a section's days."""

    @reads(section, "follow_up_days")
    def check(scenario: Any) -> Iterator[Problem]:
        limit = scenario.follow_up_days
        for path, day in _written_days(scenario, section):
            if day is not None and day > limit:
                fact = f"day {day} is after the end of follow-up on day {limit}"
                yield Problem(path, fact, "Correct it or follow_up_days")


for _section in ("visits", "output", "trial", "sensitivity", "decision", "sweep"):
    _within_follow_up(_section)


@reads("trial", "arms", "strata")
def _allocation(scenario: Any) -> Iterator[Problem]:
    """Allocation and counts name arms and strata of the scenario."""
    trial = scenario.trial
    if trial is None:
        return
    for arm in trial.allocation or {}:
        if arm not in scenario.arms:
            yield _no_such(("trial", "allocation", arm), "arm", scenario.arms)
    strata = list(scenario.strata or ["all"])
    for stratum, arms in (trial.counts or {}).items():
        if stratum not in strata:
            yield _no_such(("trial", "counts", stratum), "stratum", strata)
        for arm in arms:
            if arm not in scenario.arms:
                yield _no_such(("trial", "counts", stratum, arm), "arm", scenario.arms)


def _no_such(path: Path, what: str, known: Iterable[str]) -> Problem:
    """A name that the scenario does not have."""
    name = str(path[-1])
    return Problem(path, f"there is no {what} {printable(name)}", suggest(name, known, "Known"), on_key=True)
