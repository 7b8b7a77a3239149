"""What every `--help` ends with: examples, and the names that can be typed, with a line each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from textwrap import fill
from typing import Any

import typer
from typer.core import TyperCommand

Line = tuple[str, str]
WIDTH = 80
READABLE = {
    "<int range>": "NUMBER",
    "<float range>": "NUMBER",
    "<int>": "NUMBER",
    "<float>": "NUMBER",
    "<list[int]>": "DAY",
    "<list[Path]>": "PATH…",
    "<str>": "TEXT",
    "<path>": "PATH",
    "<Any>": "",
    "[0<=x<=18446744073709551615]": "[from 0, below 2^64]",
}
"""Types as a person reads them."""
EXAMPLES: dict[str, tuple[str, ...]] = {
    "explore": (
        "als-sim explore valor",
        "als-sim explore mine.yaml --no-browser",
        "als-sim explore results/mine",
    ),
    "run": (
        "als-sim run valor",
        "als-sim run valor -n 10000 --seed 7 -o results/mine",
        "als-sim run valor --set arms.delayed_start.0.from_day=364 --days 364,1036",
        "als-sim run mine.yaml --draws 100 --full",
    ),
    "compare": ("als-sim compare results/mine results/later", "als-sim compare results/mine results/later --days 364"),
    "replay": ("als-sim replay results/mine",),
    "export": ("als-sim export results/mine --to csv", "als-sim export results/mine --to adam -o tables"),
    "doctor": ("als-sim doctor", "als-sim doctor --json"),
    "report": ("als-sim report results/mine", "als-sim report results/mine -o mine.html --days 364,1036"),
    "plot": (
        "als-sim plot results/mine survival -o survival.png",
        "als-sim plot results/mine trajectories --outcome svc",
        "als-sim plot results/mine patient --patient 7",
    ),
    "init": ("als-sim init mine --from valor",),
    "list": ("als-sim list",),
    "show": (
        "als-sim show valor",
        "als-sim show tofersen",
        "als-sim show VAL-14",
        "als-sim show results/mine --days 364",
        "als-sim show results/mine --citations",
    ),
    "schema": ("als-sim schema > scenario.schema.json",),
    "validate": ("als-sim validate mine.yaml", "als-sim validate mine.yaml other.yaml --json"),
    "evidence": ("als-sim evidence", "als-sim evidence --claims", "als-sim evidence -o results/evidence"),
    "calibrate": ("als-sim calibrate valor -o results/calibration", "als-sim calibrate valor --point-only"),
    "trial": (
        "als-sim trial valor_trial --replicates 200 --analysis ancova,joint_rank",
        "als-sim trial valor_trial --size 150 --power 0.8,0.9 -o results/study",
        "als-sim trial valor_trial --set treatments.tofersen.effect.mean=0.39",
    ),
    "sensitivity": (
        "als-sim sensitivity valor -o results/tornado",
        "als-sim sensitivity start_delay --method sobol --points 64",
    ),
    "sweep": ("als-sim sweep start_delay -o results/delay", "als-sim sweep start_delay --dry-run"),
    "compile": ("als-sim compile valor", "als-sim compile --all"),
    "analyse": (
        "als-sim analyse people.csv visits.csv --analysis ancova,cox --day 84",
        "als-sim analyse people.csv visits.csv --arms drug,placebo -o results/mine",
    ),
    "twins": (
        "als-sim twins people.csv visits.csv generic_als -o results/cohort",
        "als-sim twins people.csv visits.csv generic_als --until-day 120",
    ),
    "fit": (
        "als-sim fit people.csv visits.csv generic_als -o results/fitted",
        "als-sim fit people.csv visits.csv generic_als --fix visits.* --folds 5",
    ),
    "decide": ("als-sim decide worth_treating",),
    "data check": ("als-sim data check people.csv visits.csv",),
    "data show": ("als-sim data show people.csv visits.csv",),
    "data convert": ("als-sim data convert adam/ -o tidy",),
}
ANALYSES = {
    "ancova": "analysis of covariance of the change at the last visit",
    "ancova_nfl": "the same, adjusted for neurofilament light at baseline",
    "mi": "the same after multiple imputation",
    "controlled_mi": "the same, imputed as if from the control arm, or moved by a delta",
    "mmrm": "mixed model for repeated measures, last visit",
    "random_slope": "random slopes and intercepts, all visits",
    "joint_rank": "joint rank of survival and function (CAFS)",
    "joint_rank_ancova": "joint rank, adjusted for baseline, strata, covariates",
    "joint_rank_mi": "joint rank after multiple imputation",
    "win_ratio": "win ratio of survival, then function",
    "logrank": "log-rank test of the time to the event",
    "stratified_logrank": "the same within strata of randomisation",
    "cox": "Cox model of the time to the event",
    "rmst": "restricted mean survival time",
    "responder": "share of participants whose decline is small",
    "delayed_start": "what is kept of the difference after all are treated",
    "rate_ratio": "ratio of disease rates (disease-progression model)",
    "ancova_prognostic": "ANCOVA, adjusted for a prognostic score (PROCOVA)",
    "mmrm_prognostic": "MMRM, adjusted at each visit for the score of that visit",
    "ancova_map": "ANCOVA that borrows earlier controls (robust MAP prior)",
    "ancova_commensurate": "ANCOVA that borrows earlier controls (commensurate)",
    "ancova_twins": "ANCOVA that borrows what twins expect of control",
    "event_rate_map": "event rates, earlier controls borrowed (robust MAP)",
    "event_rate_commensurate": "event rates, earlier controls borrowed (commensurate)",
    "rate_ratio_posterior": "posterior of the ratio of disease rates",
}
METHODS = (
    ("oneway", "each value between two percentiles of its prior: a tornado"),
    ("sobol", "first and total order indices (variance of the outcome)"),
    ("morris", "elementary effects: screening of many values"),
    ("ensemble", "shares of the variance over calibrated vectors"),
    ("evpi", "value of perfect information on a decision"),
)
FORMATS = (
    ("csv", "long tables, one for each group"),
    ("parquet", "the same, with units in their metadata"),
    ("adam", "the observed trial as ADSL, ADQS, ADTTE, ADAE"),
)
SCORES = (
    ("alsfrs_r", "ALSFRS-R total, points"),
    ("svc", "slow vital capacity, % of predicted"),
    ("hhd", "dynamometry megascore, z"),
    ("nfl_plasma", "plasma neurofilament light, pg/mL"),
    ("sod1_csf", "SOD1 in CSF, ratio to baseline"),
)


def analyses() -> Iterator[Line]:
    """Analyses of trials, with what they estimate."""
    from simulator.analysis.trial.registry import ANALYSES as KNOWN

    for name, one in KNOWN.items():
        doc = (one.run.__doc__ or "").splitlines()[0]
        yield name, f"{ANALYSES.get(name, doc)}: {one.measure.format(unit='points')}"


def outcomes() -> Iterator[Line]:
    """Outcomes of sweeps and of sensitivity analyses."""
    from simulator.measures.outcome import OUTCOMES

    for name, row in OUTCOMES.items():
        yield name, f"{row.label}, {row.unit}" if row.unit else f"{row.label}, in the scenario's currency"


def pictures() -> Iterator[Line]:
    """Kinds of pictures."""
    from simulator.report.kinds import DecisionKind, FitKind, Kind, SensitivityKind, SweepKind, TrialKind, TwinsKind
    from simulator.report.plots import Plots
    from simulator.report.plots.decision import DecisionPlots
    from simulator.report.plots.fit import FitPlots
    from simulator.report.plots.sensitivity import SensitivityPlots
    from simulator.report.plots.sweep import SweepPlots
    from simulator.report.plots.trial import TrialPlots
    from simulator.report.plots.twins import TwinsPlots

    pairs: tuple[tuple[Any, Iterable[str], str], ...] = (
        (Plots, Kind, ""),
        (TrialPlots, TrialKind, "trial: "),
        (SweepPlots, SweepKind, "sweep: "),
        (SensitivityPlots, SensitivityKind, "sensitivity analysis: "),
        (TwinsPlots, TwinsKind, "twins: "),
        (DecisionPlots, DecisionKind, "decision: "),
        (FitPlots, FitKind, "fit: "),
    )
    for made, kinds, of in pairs:
        yield from ((str(kind), of + (getattr(made, kind).__doc__ or "").splitlines()[0]) for kind in kinds)


def scenarios() -> Iterator[Line]:
    """Bundled scenarios."""
    from simulator.language.listing import titles

    yield from ((one.name, one.title) for one in titles())


Listing = Callable[[], Iterable[Line]]
LISTS: dict[str, tuple[tuple[str, Listing], ...]] = {
    "run": (("Bundled scenarios", scenarios),),
    "explore": (("Bundled scenarios", scenarios),),
    "init": (("Bundled scenarios", scenarios),),
    "plot": (("Kinds", pictures), ("Outcomes of trajectories", lambda: SCORES), ("Outcomes of sweep", outcomes)),
    "export": (("Kinds of tables", lambda: FORMATS),),
    "trial": (("Analyses", analyses), ("Outcomes", lambda: SCORES)),
    "analyse": (("Analyses", analyses), ("Outcomes", lambda: SCORES)),
    "twins": (("Outcomes", lambda: SCORES), ("Bundled scenarios", scenarios)),
    "fit": (("Bundled scenarios", scenarios),),
    "sensitivity": (("Methods", lambda: METHODS), ("Outcomes, for the block `sensitivity`", outcomes)),
    "sweep": (("Outcomes, for the block `sweep`", outcomes),),
}


class Helped(TyperCommand):
    """A command whose help has readable types, examples and names."""

    def get_help(self, ctx: Any) -> str:
        """The help, columns as they were."""
        text = super().get_help(ctx)
        for typed, readable in READABLE.items():
            text = text.replace(typed, readable.ljust(len(typed)))
        return "\n".join(line.rstrip() for line in text.splitlines())

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Examples, then lists, as they are."""
        name = ctx.command_path.partition(" ")[2]
        formatter.write("\n".join(ending(name)))


def ending(name: str) -> Iterator[str]:
    """The lines after the options of a command."""
    if name in EXAMPLES:
        yield from ("", "Examples:", *(f"  {one}" for one in EXAMPLES[name]))
    for head, lines in LISTS.get(name, ()):
        yield from ("", f"{head}:")
        rows = list(lines())
        width = max(len(name) for name, _ in rows) + 4
        for key, text in rows:
            yield fill(text, WIDTH, initial_indent=f"  {key}".ljust(width), subsequent_indent=" " * width)
    yield ""


def with_endings(app: typer.Typer) -> None:
    """Give every command of the application, and of its groups, this help."""
    for command in app.registered_commands:
        command.cls = Helped
    for group in app.registered_groups:
        if group.typer_instance is not None:
            with_endings(group.typer_instance)
