"""A decision from a scenario to its folder."""

from __future__ import annotations

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
from simulator.language.alternatives import alternatives
from simulator.language.blocks.sweep import MOST_POINTS, MOST_REPLICATES
from simulator.results import Result
from simulator.results.folder import check_folder, default_folder, write_folder
from simulator.results.kinds import DECISION
from simulator.run import LIMIT
from simulator.studies import economics
from simulator.studies.begun import begin, keeping
from simulator.studies.decide import further, probabilistic
from simulator.studies.decide.base import Base, base_case, basis, incremental_table
from simulator.studies.decide.drawing import Drawn, draws_of, fixed
from simulator.studies.decide.research import Sample, compared
from simulator.studies.decide.result import Decided
from simulator.studies.decide.tables import Cell, Column, Table, number
from simulator.studies.outcome import Asked
from simulator.studies.sensitivity.methods import one_way
from simulator.studies.sensitivity.parameters import SensitivityError, parameters_of
from simulator.studies.sensitivity.points import Evaluate, Plan, needed, of_patients, of_sweep
from simulator.studies.sweep.executors import check_ready
from simulator.studies.sweep.memory import check_work
from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.language import Scenario
    from simulator.language.blocks.decision import Comparison

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]
SEED = 1
DRAWS, REPLICATES, DRAW_PATIENTS = 300, 2, 300
ONE_WAY_REPLICATES = 2


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
        tuple(fixed(part)), asked.scenario.resolved_yaml(), asked.arguments,
    )  # fmt: skip
    if asked.folder is not None:
        write_folder(made, asked.folder, asked.force)
    return made


def _check(asked: Request) -> None:
    """Refuse what is out of range before the base case is simulated."""
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
    part = needed(scenario, Asked("net_benefit", options[0], "", economics.horizon_of(scenario)))
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
    cost, effect = (
        np.stack([getattr(base.worth[arm], key) for arm in base.options], axis=1) for key in ("costs", "qalys")
    )
    people = People(cost, effect, result.weight)
    spread = Draws(sample.cost, sample.effect)
    rows = incremental(base.options, people, block.willingness_to_pay.amount, spread)
    yield incremental_table(rows, part, "incremental", "Base case: options in order of QALYs")
    yield from (one for one in base.tables if one.name in {"costs", "stopping"})
    yield _probabilistic(sample, part)
    yield from probabilistic.curves(sample, part)
    yield probabilistic.plane(sample, part)
    yield from probabilistic.information(sample, part, shared=False, seed=asked.seed)
    yield from further.prices(base, result, part)
    yield from further.subgroups(base, result, part)
    yield from further.scenarios(result, part, lambda changed: _simulate(changed, asked))
    yield from further.severity(base, result, part)
    yield from further.budget(result, part)
    yield _parameters(sample.drawn)


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


def _parameters(drawn: Drawn) -> Table:
    """What was drawn, and from what."""
    rows: list[list[Cell]] = [[one.name, one.group, one.address, one.prior] for one in drawn.uncertain]
    columns = [Column(name) for name in ("value", "group", "address", "prior")]
    return Table("parameters", "What is uncertain", columns, rows, "ensemble: the calibrated vectors, correlated.")


def _sample(part: Scenario, asked: Request, drawn: Drawn, progress: Progress | None) -> Sample:
    """Mean costs and QALYs at every draw; other people in each."""
    plan = Plan(asked.draw_patients, asked.replicates, True, asked.seed, asked.executor)
    values = model_of(part, plan, asked, progress)(drawn.settings)
    options = tuple(economics.decision_of(part).options)
    trial = values[..., 2 * len(options) :] if _trial(part) is not None else None
    values = values[..., : 2 * len(options)].reshape(len(values), asked.replicates, -1, 2).transpose(0, 2, 1, 3)
    return Sample(options, values[..., 0], values[..., 1], drawn, trial)


def model_of(part: Scenario, plan: Plan, asked: Request, progress: Progress | None) -> Evaluate:
    """Costs and QALYs of every option as a function of settings, and of draws what the trial compares."""
    read = partial(_read, tuple(economics.decision_of(part).options), _trial(part) if plan.independent else None)
    folder = (
        None if asked.folder is None else asked.folder / DECISION.work[0] / ("draws" if plan.independent else "one")
    )
    if economics.is_summary_enough(part):
        return of_sweep(part, read, plan, folder, progress)
    return of_patients(part, read, plan, progress, folder)


def _read(options: Sequence[str], trial: Comparison | None, result: Result, scenario: Scenario) -> list[float]:
    """Costs and QALYs of every option, and what the trial compares."""
    every = [economics.economic_all(result, arm, scenario) for arm in options]
    found = [x for _, quality, cost, _ in every for x in (cost.value, quality.value)]
    return found if trial is None else [*found, *compared(trial, result)]


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
    columns += [Column("at 5th", 0, block.currency), Column("at 95th", 0, block.currency)]
    columns += [Column("difference", 0, block.currency), Column("±", 0)]
    body: list[list[Cell]] = [
        [row.name.removeprefix("decision."), row.own, row.low, row.high, row.at_low, row.at_high, row.swing,
         number(row.mcse)]
        for row in found.rows
    ]  # fmt: skip
    caption = f"Extra net benefit of {high} over {low} at the 5th and 95th percentile of each prior"
    people = f"The people of {ONE_WAY_REPLICATES} runs of a draw, not those of the base case."
    base_value = f"{people} As the scenario has it: {found.figures['base']:,.0f} {block.currency}."
    yield Table("oneway", caption, columns, body, base_value)


def folder_of(asked: Request) -> Path:
    """The folder when none is named: the same for every call that gives the same numbers."""
    key = {**asked.arguments, "scenario_sha256": asked.scenario.sha256, "engine_version": __version__}
    return default_folder(f"{asked.scenario.name}-decision", key)
