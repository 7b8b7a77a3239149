"""What a study of a trial asks: which arms are compared, when, by which analyses; checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from simulator.analysis.trial.data import SCORE
from simulator.analysis.trial.reading import BASELINE, PROGRESSION_RATE, TOTAL, TRAITS, Contrast
from simulator.analysis.trial.registry import ANALYSES, analysis
from simulator.errors import SimulatorError, absent
from simulator.language.check_trial import may_be_empty
from simulator.language.contrasts import amount, control_of
from simulator.language.faults import Path, Problem
from simulator.program.calendar import visit_days
from simulator.quantities import Quantity
from simulator.replicate import LEAD_IN_CHANGE
from simulator.run import LIMIT
from simulator.studies.trial import borrowed
from simulator.studies.trial.estimands import check_estimand

if TYPE_CHECKING:
    from simulator.language.comparisons import Platform
    from simulator.language.scenario import Scenario
    from simulator.studies.trial.scores import Emulator

Options = Mapping[str, Mapping[str, Any]]
ENDPOINTS = ("event_free", "death")
ASSESSMENTS: Path = ("visits", "assessments")
ENROLMENT = "enrolment_day"
"""Day of the calendar on which each enters: a covariate of a platform."""
NFL, LOG_NFL = "nfl_plasma", "log_nfl"
KINDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    float | None: "a number",
    tuple[str, ...]: "a list of covariates, as [log_nfl]",
}
"""What options can be, in words."""


class TrialError(SimulatorError):
    """The study that is asked for makes no sense; the message says why and what to do."""

    exit_code = 2


class TrialOptions(NamedTuple):
    """What a person asks of `trial`; None and empty mean: as the scenario says.

    `arms` are (experimental, control), `days` the days of analysis, `options` the options of analyses by name;
    `outcome` and `endpoint` are those of `analysis.trial.reading.from_result`.
    """

    analyses: Sequence[str] = ("ancova", "joint_rank")
    size: int | None = None
    arms: Sequence[str] | None = None
    days: Sequence[int] | None = None
    options: Options = MappingProxyType({})
    outcome: str = "alsfrs_r"
    endpoint: str = "event_free"


class Plan(NamedTuple):
    """What is done in every replicate; days count from randomisation, those of the scenario from entry.

    `scenario` is cut down to the arms and days that are needed; `prognostic` gives scores where an analysis takes them.
    """

    scenario: Scenario
    size: int
    arms: Contrast
    days: tuple[int, ...]
    analyses: tuple[str, ...]
    options: Options
    outcome: str
    endpoint: str
    prognostic: Emulator | None = None


class Claim(NamedTuple):
    """A claim of the trial's family; its day counts from randomisation."""

    analysis: str
    day: int
    outcome: str
    endpoint: str


def claims_of(planned: Plan) -> list[Claim]:
    """The claims of the trial's family; none without one."""
    trial = planned.scenario.trial
    if trial is None or trial.family is None:
        return []
    return [
        Claim(
            one.analysis,
            planned.days[0] if one.day is None else one.day - trial.randomised_on,
            one.outcome or planned.outcome,
            one.endpoint or planned.endpoint,
        )
        for one in trial.family.claims
    ]


def analyses_of(scenario: Scenario, asked: TrialOptions) -> tuple[str, ...]:
    """The analyses that are asked for, and those of the family's claims."""
    family = scenario.trial.family if scenario.trial else None
    return tuple(dict.fromkeys([*asked.analyses, *(claim.analysis for claim in (family.claims if family else ()))]))


def plan(scenario: Scenario, asked: TrialOptions) -> Plan:
    """The plan, checked.

    Raises
    ------
    TrialError
        The scenario has no trial; an arm, day, outcome or option is none of the trial's.
    ScenarioError
        The scenario's estimand is not what an analysis estimates.
    AnalysisError
        There is no such analysis.
    """
    if scenario.trial is None:
        raise _fault(scenario, ("trial",), "there is no block trial", "Write it, with size and allocation")
    if scenario.person is not None:
        raise _fault(scenario, ("person",), "a trial is of many people, and this scenario has one", "Leave out person")
    analyses = analyses_of(scenario, asked)
    if not analyses:
        raise TrialError(f"no analysis is named. Choose from {', '.join(ANALYSES)}")
    for name in analyses:
        check_options(name, asked.options.get(name, {}))
    _check_measured(scenario, analyses, asked)
    check_estimand(scenario, analyses, asked.endpoint, asked.outcome)
    days = _days(scenario, asked.days)
    arms = _contrast(scenario, asked.arms)
    options = {name: dict(asked.options[name]) for name in analyses if asked.options.get(name)}
    platform = _platform(scenario)
    if platform is not None and platform.drift_model is not None:
        options = {name: _with_drift(name, options.get(name, {})) for name in analyses}
    size = size_of(scenario) if asked.size is None else asked.size
    if size > LIMIT:
        raise TrialError(f"{size:,} participants cannot be simulated. Ask for 1 to {LIMIT:,}")
    if empty := may_be_empty(scenario, size, arms):
        raise TrialError(". ".join(empty))
    since = tuple(day - scenario.trial.randomised_on for day in days)
    planned = Plan(cut(scenario, days), size, arms, since, analyses, options, asked.outcome, asked.endpoint)
    for name in analyses:
        borrowed.check(scenario, options.get(name, {}), [*_uses(planned, name)])
    return planned


def _uses(planned: Plan, name: str) -> Iterator[Claim]:
    """Of what and when an analysis is used: claims of the family of it, or the outcome of the study on every day."""
    yield from (Claim(name, day, planned.outcome, planned.endpoint) for day in planned.days)
    yield from (claim for claim in claims_of(planned) if claim.analysis == name)


def _fault(scenario: Scenario, path: Path, fact: str, remedy: str) -> TrialError:
    """What is wrong for a study of a trial, with its place in the scenario."""
    return TrialError(str(scenario.fault(Problem(path, fact, remedy))))


def size_of(scenario: Scenario) -> int:
    """How many the trial enrols."""
    trial = scenario.trial
    if trial is None:
        return 0
    counted = sum(sum(arms.values()) for arms in (trial.counts or {}).values())
    return trial.size or counted


def enrolled(scenario: Scenario) -> list[str]:
    """The arms to which somebody is allocated, in the order of the scenario."""
    trial = scenario.trial
    if trial is None:
        return []
    counts = trial.counts or {}
    taken = {arm for arms in counts.values() for arm, count in arms.items() if count} if counts else trial.allocation
    return [arm for arm in scenario.arms if arm in (taken or {})]


def cut(scenario: Scenario, days: Sequence[int]) -> Scenario:
    """The scenario with the arms of the trial only, to the last visit of the last analysis; nobody's course changes."""
    last = min(days[-1] + scenario.visits.jitter_days, scenario.follow_up_days)
    staged = scenario.output.stages and scenario.visits.scoring == "items"
    return as_enrolled(scenario).model_copy(
        update={
            "arms": {arm: scenario.arms[arm] for arm in enrolled(scenario)},
            "follow_up_days": last,
            "output": scenario.output.model_copy(update={"every_days": last, "stages": staged}),
            "trial": scenario.trial and scenario.trial.model_copy(update={"analysis_days": list(days)}),
        }
    )


def as_enrolled(scenario: Scenario) -> Scenario:
    """The scenario whose strata have the shares that exact counts give them: people of each come so."""
    counts = None if scenario.trial is None else scenario.trial.counts
    if scenario.strata is None or counts is None:
        return scenario
    people = {name: sum(counts.get(name, {}).values()) for name in scenario.strata}
    shares = {name: Quantity(value=n / sum(people.values()), evidence="assumed") for name, n in people.items()}
    strata = {name: one.model_copy(update={"share": shares[name]}) for name, one in scenario.strata.items()}
    return scenario.model_copy(update={"strata": strata})


def _contrast(scenario: Scenario, wanted: Sequence[str] | None) -> Contrast:
    """The arms compared: as wanted, or of the two that people are allocated to the other one and the control."""
    there = enrolled(scenario)
    if wanted is not None:
        for name in wanted:
            if name not in there:
                raise TrialError(absent("arm", name, there, where="the trial"))
        if len(set(wanted)) != 2 or len(wanted) != 2:
            raise TrialError(f"arms {', '.join(wanted)}: name two arms, the experimental one first")
        return Contrast(*wanted)
    if len(there) < 2:
        path = ("trial", "allocation" if scenario.trial and scenario.trial.allocation else "counts")
        fact = f"allocation cannot be met: all are in {', '.join(there)}"
        raise _fault(scenario, path, fact, "Allocate people to a second arm")
    if scenario.trial is not None and scenario.trial.comparisons is not None:
        arms, against = against_control(scenario)
        return Contrast(arms[0], against)
    control, *others = sorted(there, key=lambda arm: arm != control_of(scenario, there))
    alike = scenario.control not in there and len({amount(scenario, arm) for arm in there}) < 2
    if len(others) != 1 or alike:
        fact = f"which arms are compared? There are {', '.join(there)}"
        raise _fault(scenario, ("arms",), fact, "Name two with --arms, the experimental one first, or write control")
    return Contrast(others[0], control)


def against_control(scenario: Scenario) -> tuple[tuple[str, ...], str]:
    """The arms that are compared with the control, in the order in which people are allocated, and the control."""
    there = enrolled(scenario)
    control = control_of(scenario, there)
    order = [arm for arm in (scenario.trial.arms if scenario.trial else []) if arm in there]
    return tuple(arm for arm in order if arm != control), control


def compared(plan: Plan) -> tuple[str, ...]:
    """The arms of the trial's comparisons; none without."""
    trial = plan.scenario.trial
    return against_control(plan.scenario)[0] if trial is not None and trial.comparisons is not None else ()


def _platform(scenario: Scenario) -> Platform | None:
    comparisons = scenario.trial.comparisons if scenario.trial else None
    return None if comparisons is None else comparisons.platform


def platform_of(plan: Plan) -> Platform | None:
    """The platform of the trial's comparisons; None without."""
    return _platform(plan.scenario)


def people_of(plan: Plan) -> int:
    """The most who may be randomised: the size, or more where a look may enlarge it."""
    compared = plan.scenario.trial.comparisons if plan.scenario.trial else None
    resize = compared.stages.resize if compared is not None and compared.stages else None
    return plan.size if resize is None else int(plan.size * resize.most.value + 1e-9)


def _days(scenario: Scenario, wanted: Sequence[int] | None) -> tuple[int, ...]:
    """The days of analysis, ascending."""
    known = list(scenario.trial.analysis_days) if scenario.trial else []
    family = scenario.trial.family if scenario.trial else None
    claimed = {claim.day for claim in family.claims if claim.day is not None} if family else set()
    days = sorted({*(known if wanted is None else wanted), *claimed})
    if not days:
        raise TrialError(f"no day of analysis is named. The scenario has {', '.join(map(str, known))}")
    start = scenario.trial.randomised_on if scenario.trial else 0
    for day in days:
        if not start < day <= scenario.follow_up_days:
            raise TrialError(
                f"day {day} is not within follow-up, {start + 1} to {scenario.follow_up_days:,}. Choose another"
            )
    after = [day for day in visit_days(scenario) if day > start]
    if not after or days[0] < after[0]:
        fact = f"no visit after baseline is planned by day {days[0]}"
        remedy = f"Choose day {after[0]} or later" if after else "Add one"
        if wanted is None:
            raise _fault(scenario, ("trial", "analysis_days", 0), fact, remedy)
        raise TrialError(f"{fact}. {remedy}")
    return tuple(days)


def check_options(name: str, options: Mapping[str, Any]) -> None:
    """Options that the analysis has, with values of their kind."""
    kinds = get_type_hints(analysis(name).run)
    known = [key for key in kinds if key not in ("data", "seed", "return")]
    for key, value in options.items():
        if key not in known:
            raise TrialError(absent("option", key, known, where=name))
        try:
            TypeAdapter(kinds[key]).validate_python(tuple(value) if isinstance(value, list) else value, strict=True)
        except ValidationError:
            raise TrialError(f"{name}.{key} is {_words(kinds[key])}, and {value!r} is not. Correct it") from None


def _words(kind: Any) -> str:
    """What an option can be."""
    return f"one of {', '.join(get_args(kind))}" if get_origin(kind) is Literal else KINDS[kind]


def _check_measured(scenario: Scenario, analyses: Sequence[str], asked: TrialOptions) -> None:
    """What is analysed is assessed."""
    assessed = list(scenario.visits.assessments)
    if asked.outcome not in assessed:
        fact = f"{asked.outcome} is not assessed; what is: {', '.join(assessed)}"
        raise _fault(scenario, ASSESSMENTS, fact, "Add it, or name another with --outcome")
    if asked.endpoint not in ENDPOINTS:
        raise TrialError(absent("endpoint", asked.endpoint, ENDPOINTS))
    needy = [name for name in analyses if name == "ancova_nfl" or LOG_NFL in _covariates(asked.options.get(name, {}))]
    if needy and NFL not in assessed:
        fact = f"{needy[0]} needs neurofilament, and {NFL} is not assessed"
        raise _fault(scenario, ASSESSMENTS, fact, "Add it")
    there = [*TRAITS, SCORE, *[PROGRESSION_RATE, BASELINE] * (TOTAL in assessed), *[LOG_NFL] * (NFL in assessed)]
    there += [LEAD_IN_CHANGE] * bool(scenario.trial and scenario.trial.lead_in)
    there += [ENROLMENT] * bool(_platform(scenario))
    for name in analyses:
        for one in set(_covariates(asked.options.get(name, {}))) - set(there):
            known = ", ".join(there) or "none"
            raise TrialError(f"{name}: the data have no covariate {one}; they have {known}. Correct it")


def _with_drift(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of an analysis that adjusts for the day of the calendar on which each enters."""
    if "covariates" not in get_type_hints(analysis(name).run):
        fact = f"{name} has no covariates, so it cannot adjust for drift as the platform's drift_model says"
        raise TrialError(f"{fact}. Leave it out, or write controls: concurrent without drift_model")
    given = [one for one in _covariates(options) if one != ENROLMENT]
    return {**options, "covariates": (*given, ENROLMENT)}


def _covariates(options: Mapping[str, Any]) -> Sequence[str]:
    found: Sequence[str] = options.get("covariates", ())
    return found
