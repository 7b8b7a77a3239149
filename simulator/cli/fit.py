"""The command `fit`: population parameters from measurements of individuals."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any

import typer

from simulator.cli.data import Files
from simulator.cli.errors import friendly
from simulator.cli.run import Folder, Force, Json, Scenario, Seed, Settings, Threads, note, show
from simulator.errors import INTERRUPTED, SimulatorError

Free = Annotated[list[str] | None, typer.Option("--free", metavar="ADDRESS", help="Fit this value too; X.* means all.")]
Fix = Annotated[list[str] | None, typer.Option("--fix", metavar="ADDRESS", help="Hold this value; X.* means all.")]
Prior = Annotated[str, typer.Option("--prior", metavar="NAME", help="catalog, or none for maximum likelihood.")]
Given = Annotated[
    str, typer.Option("--given", metavar="WHAT", help="nothing, baseline, or a day: explain only what came after it.")
]
Arms = Annotated[
    str | None, typer.Option("--arms", metavar="ARM,…", help="Fit the participants in these arms of the data.")
]
Folds = Annotated[int, typer.Option("--folds", min=0, help="Parts of the people for cross-validation; 0: none.")]
Vectors = Annotated[int, typer.Option("--vectors", min=1, help="Vectors of the ensemble.")]
CrowdSize = Annotated[int, typer.Option("--crowd", min=1, help="Simulated people behind the likelihood.")]
Steps = Annotated[int, typer.Option("--steps", min=0, help="The most steps; 0: the likelihood of the scenario.")]
Method = Annotated[str, typer.Option("--method", metavar="NAME", help="reml or ml, of the model linear.")]
Other = Annotated[
    Path | None, typer.Option("--against", metavar="DIR", help="Compare with this fit of the same people.")
]


class Interrupted(SimulatorError):
    """Stopped by the person; the message says how to go on."""

    exit_code = INTERRUPTED


@friendly
def fit(
    files: Files,
    scenario: Scenario,
    *,
    free: Free = None,
    fix: Fix = None,
    prior: Prior = "catalog",
    given: Given = "nothing",
    arms: Arms = None,
    folds: Folds = 0,
    vectors: Vectors = 200,
    crowd: CrowdSize = 65_536,
    steps: Steps = 8,
    method: Method = "reml",
    against: Other = None,
    out: Folder = None,
    seed: Seed = None,
    threads: Threads = None,
    settings: Settings = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Fit values of a scenario to individuals. Estimates, errors, shrinkage, an ensemble, a fitted scenario."""
    from simulator.cli.progress import Progress
    from simulator.execution.version_check import keeping
    from simulator.language import load, parse_setting
    from simulator.results.folder import begin_folder, check_folder, write_folder
    from simulator.results.kinds import FIT
    from simulator.studies.fit.study import fit as run

    chosen = load(scenario, dict(map(parse_setting, settings or ())))
    other = _other(against)
    folder = out or Path("results") / f"{chosen.name}-fit"
    check_folder(folder, FIT, force)
    try:
        with keeping(folder, FIT), Progress("steps") as progress:
            found = run(
                [*files], chosen, free=free or (), fix=fix or (), prior=prior, given=given,
                arms=arms.split(",") if arms else (), folds=folds, draws=vectors, crowd=crowd, steps=steps,
                method=method, seed=seed,
                threads=threads, folder=folder, progress=progress,
                begin=lambda about: begin_folder(folder, FIT, about),
            )  # fmt: skip
            write_folder(found, folder, force)
    except KeyboardInterrupt:
        again = shlex.join(["als-sim", *sys.argv[1:]])
        raise Interrupted(f"Interrupted. Finished steps are kept; go on with: {again}") from None
    note(f"Written to {folder}. It holds data of the participants: keep it as you keep these")
    compared = found.against(other) if other is not None else None
    show_fit(found, as_json, compared)


def _other(folder: Path | None) -> Any:
    """The fit to compare with."""
    if folder is None:
        return None
    from simulator.errors import UsageError
    from simulator.results import open_study
    from simulator.results.kinds import FIT

    found = open_study(folder)
    if found.kind is not FIT:
        raise UsageError(f"{folder}: {found.kind.title}, not a fit. Name the folder of a fit with --against")
    return found


def show_fit(found: Any, as_json: bool, compared: Any = None) -> None:
    """Print a fit on stdout."""
    told = document(found, compared) if as_json else found
    show(told, as_json, lambda one: text(one, compared))


def document(found: Any, compared: Any = None) -> dict[str, Any]:
    """Everything that is printed, as plain data."""
    people = found.groups["people"]
    crossed = found.cross_validated
    return {
        "data": str(found.attrs["data"]),
        "scenario": found.scenario_name,
        "parameters": [one._asdict() for one in found.parameters],
        "before": found.before._asdict(),
        "log_likelihood": found.log_likelihood._asdict(),
        "gain": found.gain._asdict(),
        "aic": found.aic,
        "cross_validated": crossed._asdict() if crossed else None,
        "converged": found.converged,
        "shrinkage": found.shrinkage,
        "people": [
            {"id": str(name), "log_likelihood": float(value), "effective": float(size)}
            for name, value, size in zip(*(people[key].values for key in ("id", "after", "effective")), strict=True)
        ],
        "set_aside": [
            {"id": str(name), "reason": str(reason)}
            for name, reason in zip(*(found.groups["set_aside"][key].values for key in ("id", "reason")), strict=True)
        ],
        "against": compared._asdict() if compared else None,
        "notes": found.notes,
    }


def text(found: Any, compared: Any = None) -> str:
    """Values, likelihoods, what was set aside."""
    from simulator.tables.text import WIDTH, aligned, clean

    lines = [line for one in found.lines() for line in wrap(clean(one), WIDTH, subsequent_indent="  ")]
    rows = [["", "start", "fitted", "95 % interval", "SD/prior", "MC"]]
    for one in found.parameters:
        interval = f"{one.lower:.3g} to {one.upper:.3g}" if one.se == one.se else "–"
        left, noise = (f"{x:.2f}" if x == x else "–" for x in (one.left, one.mc))  # noqa: PLR0124
        start = f"{one.start:.3g}" if one.start == one.start else "–"
        rows.append([_short(one.address), start, f"{one.estimate:.3g}", interval, left, noise])
    words = (
        "SD/prior: how much of the prior's SD is left; above .9 the value still rests on its prior. MC: error of the "
        "finite crowd on the scale of the fit, in the interval."
    )
    if not found.is_simulated:
        rows, words = [row[:4] for row in rows], "Maximum likelihood, no prior. A dash: the scenario has no such value."
    told = [*lines[:-1], "", *aligned(rows), *wrap(words, WIDTH)]
    if compared is not None:
        told += ["", *_compared(compared)]
    return "\n".join([*told, "", lines[-1]])


def _short(address: str) -> str:
    return address if len(address) <= 30 else f"…{address[-29:]}"


def _compared(one: Any) -> Iterator[str]:
    """A fit beside another one."""
    from simulator.tables.text import WIDTH

    words = (
        f"Less the other fit: log-likelihood {one.log_likelihood:+.1f}, Monte Carlo error {one.noise:.1f}, error "
        f"between people {one.error:.1f}"
    )
    yield from wrap(words, WIDTH)
    if one.cross_validated == one.cross_validated:
        yield f"cross-validated {one.cross_validated:+.1f} ± {one.cross_error:.1f} (between people)"


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("fit")(fit)
