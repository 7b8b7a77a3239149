"""What the page asks for, computed: a run of sums while a slider moves, then with its patients; bands; one patient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.explorer.controls import ControlError, Panel
from simulator.explorer.picture import Figures, Floats, answer, curves, figures, powers, short
from simulator.language.contrasts import contrasts, control_of, named_days
from simulator.language.template import Template
from simulator.results.record import Provenance, Record
from simulator.results.tree import Result, name
from simulator.run import recorded
from simulator.studies.calibrate.apply import drawn_settings
from simulator.studies.calibrate.errors import CalibrationError
from simulator.studies.sensitivity.parameters import SensitivityError, parameters_of

if TYPE_CHECKING:
    from simulator.language import Scenario

Progress = Callable[[int, int], None]
ONE_THREAD = 2048
"""Up to so many patients a second thread has nothing to do, and people who did not change are kept."""
DRAWS = 40
"""Parameter vectors of a band."""
LOW, HIGH = 5, 95
REPLICATES, LEAST, PARTS = 200, 24, (0.5, 0.75, 1.5, 2.0)
"""Trials behind a picture of power, its smallest trial, and its sizes as parts of the trial's own."""


def fast(panel: Panel, moved: Mapping[str, Any], seed: int, progress: Progress | None = None) -> Result:
    """The run without its patients: means and shares; twins of one person are always kept."""
    scenario, n = panel.changed(moved), panel.patients(moved)
    return _twins(scenario, n, seed, progress) if scenario.person else _sums(scenario, n, seed, progress)


def whole(panel: Panel, moved: Mapping[str, Any], seed: int, progress: Progress | None = None) -> Result:
    """The same run with its patients: differences are paired."""
    scenario, n = panel.changed(moved), panel.patients(moved)
    if scenario.person:
        return _twins(scenario, n, seed, progress)
    return _named(scenario, recorded(scenario, patients=n, seed=seed, progress=progress, quantiles=False))


def patient(panel: Panel, moved: Mapping[str, Any], seed: int, number: int) -> Result:
    """One patient of the run, in every arm."""
    scenario, n = panel.changed(moved), panel.patients(moved)
    if scenario.person:
        raise ControlError("twins of one person are shown together. Choose a scenario without the block person")
    if not 0 <= number < n:
        raise ControlError(f"there is no patient {number}. Choose 0 to {n - 1}")
    return _named(scenario, recorded(scenario, seed=seed, threads=1, numbers=np.array([number]), quantiles=False))


def kept(panel: Panel, moved: Mapping[str, Any], seed: int, progress: Progress | None = None) -> Result:
    """The run with everything that a report needs: the result that `simulate` gives."""
    from simulator.studies.simulate import simulate

    return simulate(panel.changed(moved), patients=panel.patients(moved), seed=seed, progress=progress)


def power(
    panel: Panel, moved: Mapping[str, Any], seed: int, asked: Mapping[str, Any], progress: Progress | None = None
) -> dict[str, Any]:
    """The scenario's trial, run many times: its power at some sizes, as a picture of one line for each analysis.

    Parameters
    ----------
    panel, moved, seed, progress
        As for the others.
    asked : mapping
        `analyses`, names of analyses; `day`, a day of analysis of the trial.

    Raises
    ------
    ControlError
        The scenario has no trial, or there is no such analysis or day.
    """
    from simulator.analysis.trial.registry import ANALYSES
    from simulator.studies.trial.plan import size_of
    from simulator.studies.trial.study import trial

    scenario, names, day = panel.changed(moved), asked.get("analyses"), asked.get("day")
    if scenario.trial is None:
        raise ControlError("the scenario has no trial. Add the block trial, or begin with valor")
    if not isinstance(names, list) or not names or any(name not in ANALYSES for name in names):
        raise ControlError(f"analyses are one or more of {', '.join(ANALYSES)}")
    if day not in scenario.trial.analysis_days:
        raise ControlError(f"a day of analysis is one of {', '.join(map(str, scenario.trial.analysis_days))}")
    own = size_of(scenario)
    sizes = sorted({own, *(max(LEAST, round(own * part)) for part in PARTS)})
    found = trial(
        scenario,
        replicates=REPLICATES,
        analyses=list(dict.fromkeys(names)),
        seed=seed,
        days=[day],
        truth=0,
        null=False,
        sizes=sizes,
        progress=progress,
    )
    return powers(found, own)


def _sums(scenario: Scenario, n: int, seed: int, progress: Progress | None = None) -> Result:
    threads = 1 if n <= ONE_THREAD else None
    found = recorded(
        scenario, patients=n, seed=seed, threads=threads, output="summary", progress=progress, quantiles=False
    )
    return _named(scenario, found)


def _twins(scenario: Scenario, n: int, seed: int, progress: Progress | None) -> Result:
    from simulator.studies.person.study import person

    return person(scenario, patients=n, seed=seed, progress=progress)


def _named(scenario: Scenario, found: Record) -> Result:
    """A result that knows its arms and days; the scenario's text, which takes longest to write, is left out."""
    return name(
        found,
        lambda: Provenance(
            scenario="",
            scenario_sha256="",
            engine_version="",
            analysis_days=tuple(scenario.trial.analysis_days) if scenario.trial else (),
            named_days=named_days(scenario),
            control=control_of(scenario),
            contrasts=tuple(contrasts(scenario)),
        ),
    )


def vectors(scenario: Scenario) -> list[dict[str, float]]:
    """Settings of `DRAWS` parameter vectors: the calibration's ensemble, or else the scenario's own priors.

    What was moved stays as it is.

    Raises
    ------
    ControlError
        No value has a prior.
    """
    try:
        return list(drawn_settings(scenario, DRAWS))
    except CalibrationError:
        pass
    try:
        parameters = parameters_of(scenario)
    except SensitivityError as error:
        raise ControlError(str(error)) from None
    u = np.random.default_rng(1).random((DRAWS, len(parameters)))
    return [
        {key: x for one, p in zip(parameters, row, strict=True) for key, x in one.at(float(p)).items()} for row in u
    ]


def bands(panel: Panel, moved: Mapping[str, Any], seed: int, own: Result, day: float) -> Iterator[dict[str, Any]]:
    """After each draw how many are done; at the end the 5th and 95th percentile of every curve, and the answer.

    `own` is the run without draws, whose figures the answer tells with their range.
    """
    scenario, n = panel.changed(moved), panel.patients(moved)
    template = Template(scenario)
    drawn: list[dict[str, list[Floats]]] = []
    told: list[Figures] = []
    settings = vectors(scenario)
    for done, each in enumerate(settings, 1):
        result = _sums(template.replace(each), n, seed)
        drawn.append(curves(result))
        told.append(figures(result, day))
        yield {"done": done, "of": len(settings)}
    words = answer(own, day, figures(own, day), _ends(told))
    yield {"done": len(settings), "of": len(settings), "bands": _spread(drawn), "answer": words}


def _spread(drawn: list[dict[str, list[Floats]]]) -> dict[str, list[Any]]:
    """By curve and arm: the low and the high end."""
    found: dict[str, list[Any]] = {}
    for curve, arms in drawn[0].items():
        found[curve] = []
        for arm in range(len(arms)):
            values = np.array([one[curve][arm] for one in drawn])
            enough = np.isfinite(values).all(axis=0)
            ends = np.percentile(np.where(enough, values, 0.0), [LOW, HIGH], axis=0)
            found[curve].append([short(np.where(enough, end, np.nan)) for end in ends])
    return found


def _ends(told: list[Figures]) -> dict[tuple[str, str, str], tuple[float, float]]:
    """By metric and pair of arms: the low and the high end."""
    found = {}
    for key, (_, first) in told[0].items():
        for a, b in first:
            values = [one[key][1][a, b].value for one in told if key in one and (a, b) in one[key][1]]
            if len(values) == len(told) and np.isfinite(values).all():
                low, high = np.percentile(values, [LOW, HIGH])
                found[key, a, b] = float(low), float(high)
    return found
