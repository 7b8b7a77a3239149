"""A decision from a scenario to its folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.cost_effectiveness import Draws, People, incremental
from simulator.errors import UsageError
from simulator.execution.executors import check_ready, check_work
from simulator.execution.version_check import begin, keeping
from simulator.language.alternatives import alternatives
from simulator.language.blocks.sweep import MOST_POINTS, MOST_REPLICATES
from simulator.language.listing import Value, values
from simulator.measures import economics
from simulator.measures.outcome import OutcomeRequest
from simulator.results import Result
from simulator.results.folder import check_folder, default_folder, write_folder
from simulator.results.kinds import DECISION
from simulator.studies.decide import probabilistic, reading, secondary
from simulator.studies.decide.base import Base, base_case, basis, incremental_table, rates_text, years_text
from simulator.studies.decide.drawing import COSTS, UTILITIES, Drawn, draws_of
from simulator.studies.decide.research import Sample
from simulator.studies.decide.result import Decided
from simulator.studies.decide.tables import Cell, Column, Table, number
from simulator.studies.sensitivity.methods import one_way
from simulator.studies.sensitivity.parameters import SensitivityError, parameters_of
from simulator.studies.sensitivity.points import Evaluate, Plan, needed, of_patients, of_sweep
from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.language import Scenario
    from simulator.language.blocks.decision import Comparison

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]
SEED = 1
DRAWS, REPLICATES, DRAW_PATIENTS = 300, 2, 300
ONE_WAY_REPLICATES = 2


BLOCK = "decision."
HEADS = ("value", "group", "own", "unit", "prior", "grade", "source", "address")
NOT_DRAWN = "not drawn"
ASKED = ("decision.thresholds.", "decision.scenarios.")
"""Values that are only asked about."""


@dataclass(frozen=True)
class Request:
    """What is asked; None means the usual."""

    scenario: Scenario
    folder: Path | None = None
    patients: int | None = None
    draws: int = DRAWS
    replicates: int = REPLICATES
    draw_patients: int = DRAW_PATIENTS
    seed: int = SEED
    executor: str | Executor = "threads"
    force: bool = False

    @property
    def arguments(self) -> dict[str, int]:
        """What the numbers depend on, beside the scenario."""
        own = {"patients": self.patients or self.scenario.patients, "draws": self.draws, "seed": self.seed}
        return own | {"replicates": self.replicates, "draw_patients": self.draw_patients}


def decide(
    scenario: Scenario,
    *,
    patients: int | None = None,
    draws: int = DRAWS,
    replicates: int = REPLICATES,
    draw_patients: int = DRAW_PATIENTS,
    seed: int = SEED,
    folder: str | Path | None = None,
    executor: str | Executor = "threads",
    progress: Progress | None = None,
) -> Decided:
    """Base case, probabilistic analysis, scenarios and value of information of a decision.

    Parameters
    ----------
    scenario : Scenario
        With a block `decision`.
    patients : int, optional
        Of the base case; by default as the scenario says.
    draws, replicates, draw_patients : int
        Draws of everything uncertain, replicates of each with other people, patients in each.
    seed : int
        Of all random numbers.
    folder : path, optional
        Where runs and the answer are kept; a second call goes on there.
    executor : str or concurrent.futures.Executor
        As `sweep` takes it.
    progress : callable, optional
        Called with (points done, points in all).

    Returns
    -------
    Decided
        Tables by name, warnings, and what was held fixed.

    Raises
    ------
    SimulatorError
        There is no decision, nothing is uncertain, or a run failed.

    Examples
    --------
    >>> import simulator as sim
    >>> found = sim.decide(sim.load("worth_treating"), draws=200)  # doctest: +SKIP
    >>> found.frame("incremental")  # doctest: +SKIP
    """
    place = None if folder is None else Path(folder)
    return run(Request(scenario, place, patients, draws, replicates, draw_patients, seed, executor), progress)


def run(asked: Request, progress: Progress | None = None) -> Decided:
    """Run what is asked (see `decide`); the answer is written where there is a folder."""
    economics.decision_of(asked.scenario)
    if asked.scenario.person is not None:
        raise SensitivityError("the scenario has a person, whose twins are no population. Remove person")
    _check(asked)
    drawn = draws_of(asked.scenario, asked.draws, asked.seed)
    if asked.folder is not None:
        check_folder(asked.folder, DECISION, asked.force)
    check_ready(asked.executor)
    with keeping(asked.folder, DECISION):
        return _decided(asked, drawn, progress)


def _decided(asked: Request, drawn: Drawn, progress: Progress | None) -> Decided:
    """The decision, once what is asked is found to be possible."""
    part = part_of(asked.scenario)
    result = _simulate(part, asked)
    if asked.folder is not None:
        begin(asked.folder, DECISION, asked.scenario)
    base = base_case(result, part)
    sample = _sample(part, asked, drawn, progress)
    tables = {one.name: one for one in _tables(asked, part, (result, base), sample)}
    for one in _one_way(part, asked, base, progress):
        tables[one.name] = one
    block = economics.decision_of(part)
    made = Decided(
        asked.scenario.title, asked.scenario.name, asked.scenario.sha256, __version__, asked.seed, basis(part),
        block.currency, block.willingness_to_pay.amount, base.options, tables, tuple(base.warnings),
        tuple(fixed(drawn, asked.scenario)), asked.scenario.resolved_yaml(),
        years_text(part), rates_text(block), asked.arguments,
    )  # fmt: skip
    if asked.folder is not None:
        write_folder(made, asked.folder, asked.force)
    return made


def _check(asked: Request) -> None:
    """Refuse what is out of range before the base case is simulated."""
    from simulator.run import LIMIT

    for name, value, least, most in (
        ("draws", asked.draws, 2, MOST_POINTS),
        ("replicates", asked.replicates, 1, MOST_REPLICATES),
        ("patients in each run of a draw", asked.draw_patients, 2, LIMIT),
    ):
        if not least <= value <= most:
            raise UsageError(f"{value:,} {name} cannot be simulated. Ask for {least:,} to {most:,}")
    research = economics.decision_of(asked.scenario).research
    if research is not None and research.trial is not None and asked.replicates < 2:
        raise UsageError("the worth of research.trial needs other people at each draw. Ask for 2 replicates or more")
    alternatives(part_of(asked.scenario))
    check_work(asked.draws * asked.replicates, asked.draw_patients)


def part_of(scenario: Scenario) -> Scenario:
    """What the decision needs of a scenario: its options until its horizon."""
    options = economics.decision_of(scenario).options
    part = needed(scenario, OutcomeRequest("net_benefit", options[0], "", economics.horizon_of(scenario)))
    trial = _trial(part)
    if trial is None:
        return part
    return part.replace({"output.days": sorted({int(trial.day), int(economics.horizon_of(part))})})


def _trial(scenario: Scenario) -> Comparison | None:
    research = economics.decision_of(scenario).research
    return None if research is None else research.trial


def _simulate(scenario: Scenario, asked: Request) -> Result:
    from simulator.run import simulate

    return simulate(scenario, patients=asked.arguments["patients"], seed=asked.seed)


def _tables(asked: Request, part: Scenario, found: tuple[Result, Base], sample: Sample) -> Iterator[Table]:
    """Every table of the decision but one-way differences."""
    (result, base), block = found, economics.decision_of(part)
    yield base.table("outcomes")
    spread = Draws(sample.cost, sample.effect)
    rows = incremental(base.options, base.people, block.willingness_to_pay.amount, spread)
    yield incremental_table(rows, part, "incremental", "Base case: options in order of QALYs")
    yield from (one for one in base.tables if one.name in {"costs", "stopping"})
    yield _probabilistic(sample, part)
    yield from probabilistic.curves(sample, part)
    yield probabilistic.plane(sample, part)
    yield from probabilistic.information(sample, part, shared=False, seed=asked.seed)
    yield from secondary.prices(base, part, sample)
    yield from secondary.subgroups(base, result, part, sample)
    yield from secondary.scenarios(result, part, lambda changed: _simulate(changed, asked))
    yield from secondary.severity(base, result, part, spread)
    yield from secondary.budget(result, part, sample)
    yield parameters(sample.drawn, part)


def _probabilistic(sample: Sample, part: Scenario) -> Table:
    """The incremental table of means over the draws, with 95 % of them."""
    money, threshold = economics.decision_of(part).currency, economics.decision_of(part).willingness_to_pay.amount
    cost, effect = (one.mean(axis=2) for one in (sample.cost, sample.effect))
    rows = incremental(sample.options, People(cost, effect), threshold)
    columns = [Column("option"), Column("versus"), Column("status"), Column("costs", 0, money)]
    columns += [Column("2.5 % of costs", 0), Column("97.5 % of costs", 0), Column("QALYs", 3)]
    columns += [Column("2.5 % of QALYs", 3), Column("97.5 % of QALYs", 3), Column("ICER", 0, f"{money}/QALY")]
    columns += [Column("net benefit", 0, money), Column("2.5 % of net benefit", 0), Column("97.5 % of net benefit", 0)]
    body: list[list[Cell]] = []
    for row in rows:
        k = sample.options.index(row.option)
        three = [[float(x.mean()), *map(float, np.percentile(x, (2.5, 97.5)))]
                 for x in (cost[:, k], effect[:, k], threshold * effect[:, k] - cost[:, k])]  # fmt: skip
        body.append([row.option, row.versus, row.status, *three[0], *three[1], number(row.icer), *three[2]])
    note = f"{len(cost)} draws, {sample.cost.shape[2]} replicates of each. The percentiles hold Monte Carlo noise too."
    return Table("probabilistic", "Probabilistic analysis: means over the draws", columns, body, note)


def _sample(part: Scenario, asked: Request, drawn: Drawn, progress: Progress | None) -> Sample:
    """Mean costs and QALYs at every draw; other people in each."""
    plan = Plan(asked.draw_patients, asked.replicates, True, asked.seed, asked.executor)
    values = model_of(part, plan, asked, progress)(drawn.settings)
    cost, effect, more, trial = reading.unfolded(part, values)
    return Sample(tuple(economics.decision_of(part).options), cost, effect, drawn, trial, more)


def model_of(part: Scenario, plan: Plan, asked: Request, progress: Progress | None) -> Evaluate:
    """Costs and QALYs of every option as a function of settings, and of draws what the trial compares."""
    whole = plan.independent  # draws; others are differences of net benefit
    read = partial(reading.read, part, _trial(part) if whole else None, whole)
    folder = (
        None if asked.folder is None else asked.folder / DECISION.work[0] / ("draws" if plan.independent else "one")
    )
    if economics.is_summary_enough(part) and not (whole and reading.needs_patients(part)):
        return of_sweep(part, read, plan, folder, progress)
    return of_patients(part, read, plan, progress, folder)


def moved(part: Scenario) -> list:
    """The values that one-way differences move."""
    block = economics.decision_of(part)
    asked = {"outcome": "net_benefit", "arm": block.options[0]}
    try:
        found = parameters_of(part.replace({"sensitivity": asked}))
    except SensitivityError:
        return []
    return [one for one in found if not one.address.startswith("decision.willingness")]


def _one_way(part: Scenario, asked: Request, base: Base, progress: Progress | None) -> Iterator[Table]:
    """Extra net benefit of the most effective option over the least effective at both ends of each prior."""
    parameters, block = moved(part), economics.decision_of(part)
    if not parameters:
        return
    low, high = base.rows[0].option, base.rows[-1].option
    plan = Plan(asked.draw_patients, ONE_WAY_REPLICATES, False, asked.seed, asked.executor)
    model = model_of(part, plan, asked, progress)
    one, other = (block.options.index(name) for name in (high, low))

    def evaluate(points: Sequence[dict[str, float]]) -> Floats:
        values = model(points)
        values = values.reshape(*values.shape[:2], -1, 2)
        benefit = block.willingness_to_pay.amount * values[..., 1] - values[..., 0]
        found: Floats = (benefit[..., one] - benefit[..., other])[..., None]
        return found

    found = one_way(parameters, evaluate)  # type: ignore[arg-type]
    columns = [Column("value"), Column("own", 4), Column("5th", 4), Column("95th", 4)]
    columns += [Column(name, 0, block.currency) for name in ("at own", "at 5th", "at 95th")]
    columns += [Column("difference", 0, block.currency), Column("±", 0)]
    body: list[list[Cell]] = [
        [row.name.removeprefix("decision."), row.own, row.low, row.high, found.figures["base"], row.at_low, row.at_high,
         row.swing, number(row.mcse)]
        for row in found.rows
    ]  # fmt: skip
    caption = f"Extra net benefit of {high} over {low} at the 5th and 95th percentile of each prior"
    people = f"The people of {ONE_WAY_REPLICATES} runs of a draw, not those of the base case."
    yield Table("oneway", caption, columns, body, people)


def folder_of(asked: Request) -> Path:
    """The folder when none is named: the same for every call that gives the same numbers."""
    key = {**asked.arguments, "scenario_sha256": asked.scenario.sha256, "engine_version": __version__}
    return default_folder(f"{asked.scenario.name}-decision", key)


def parameters(drawn: Drawn, scenario: Scenario) -> Table:
    """What is drawn, then the other values of the decision; those of the model that are not drawn are only counted."""
    known = {one.address: one for one in values(scenario)}
    rows = [_row(one.name, one.group, one.prior, known[one.address]) for one in drawn.uncertain if one.address in known]
    rows += [
        _row(one.address.removeprefix(BLOCK), one.address.split(".")[1], NOT_DRAWN, one)
        for one in _left(drawn, scenario)
        if one.address.startswith(BLOCK) and not one.address.startswith(ASKED)
    ]
    columns = [Column(name, 4 if name == "own" else 0) for name in HEADS]
    note = "ensemble: the calibrated vectors, correlated. Values of the model that are not drawn stand in the scenario."
    return Table("parameters", "Values of the decision, and all that is uncertain", columns, rows, note)


def _row(name: str, group: str, prior: str, one: Value) -> list[Cell]:
    recalled = "recalled, not read in the source" if one.read_in_source is False else None
    source = "; ".join(part for part in (one.source, recalled, one.note) if part)
    return [name, group, number(float(one.value)), one.unit or "", prior, one.evidence or "", source, one.address]


def fixed(drawn: Drawn, scenario: Scenario) -> list[str]:
    """What is not drawn, for it has no prior: utilities and costs by name, other values counted by section."""
    left = [one.address for one in _left(drawn, scenario)]
    named = [place.removeprefix(BLOCK) for place in left if place.startswith((UTILITIES, COSTS))]
    every = Counter(map(_section, (one.address for one in _graded(scenario))))
    counts = Counter(_section(place) for place in left if not place.startswith((UTILITIES, COSTS)))
    return [*named, *(f"{count} of {every[section]} values of {section}" for section, count in counts.items())]


def _section(place: str) -> str:
    return place.split(".", maxsplit=1)[0]


def _left(drawn: Drawn, scenario: Scenario) -> Iterator[Value]:
    """Values with a grade that no draw sets."""
    moved = set().union(*drawn.settings)
    return (one for one in _graded(scenario) if one.address not in moved)


def _graded(scenario: Scenario) -> Iterator[Value]:
    return (one for one in values(scenario) if one.evidence and one.value is not None)
