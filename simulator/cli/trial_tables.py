"""A study of a trial as text of 80 columns, and as one JSON document."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from simulator.analysis.trial.registry import analysis
from simulator.cli.trial_arms import arms_document, arms_text
from simulator.cli.trial_estimands import estimands_text
from simulator.cli.trial_family import family_document, family_text
from simulator.cli.trial_looks import looks_document, looks_text, sizes_text
from simulator.results.notices import NOTICE
from simulator.studies.trial.answer import answer
from simulator.studies.trial.html import named, pair, people, percent, unit
from simulator.studies.trial.measures import POWER
from simulator.studies.trial.sizes import LARGEST
from simulator.studies.trial.summary import measured
from simulator.tables.numbers import when
from simulator.tables.text import WIDTH, aligned, clean, short

if TYPE_CHECKING:
    from simulator.studies.trial.result import Trial

SHARES = (
    ("{}, %", POWER),
    ("type I, %", "type_one_error"),
    ("covered, %", "coverage"),
    ("right sign, %", "right_sign"),
)
FACTS = (
    ("change_as_if_alive", "Difference of change, as if alive (hypothetical), {unit}", 3),
    ("change_always_survivors", "Difference of change, always-survivors, {unit}", 3),
    ("change_survivors", "Difference of change, survivors of each arm, {unit}", 3),
    ("always_survivors", "Share of always-survivors", 3),
    ("net_benefit", "Net benefit", 3),
    ("event_free", "Difference of event-free shares", 3),
    ("restricted_mean", "Event-free time gained by then, mean, days", 2),
    ("gaining", "Share whose function gains, as if alive", 3),
    ("gain_q05", "Gained by 95 % of people at least, {unit}", 2),
    ("gain_q50", "Gained by half of people at least, {unit}", 2),
    ("gain_q95", "Gained by 5 % of people at least, {unit}", 2),
)
COUNTS = (
    ("participants", "participants", 1),
    ("events", "with the event", 1),
    ("left", "left before", 1),
    ("missing", "not measured", 1),
    ("followed_days", "mean days followed", 0),
)
OTHER = ("metric", "time", "estimate", "mcse", "n")
LEGEND = (
    "± is the Monte Carlo standard error. truth: of the estimand, from people simulated in both arms. "
    "SD: of the estimates over replicates; SE: root of the mean square of their standard errors. "
    "log: a logarithm. {power}: share of all replicates that claim benefit{over}, at a {test}."
)
DRAWN = ", averaged over {} vectors of the parameters, of which errors are too"


def trial_text(trial: Trial) -> str:
    """The study: a block for each day of analysis."""
    experimental, control = trial.arms
    lines = [
        clean(trial.title),
        f"{trial.replicates:,} replicates of {trial.size:,} participants, seed {trial.seed}",
        f"{short(experimental)} against {short(control)}",
        f"engine {trial.attrs['engine_version']}, scenario {str(trial.attrs['scenario_sha256'])[:12]}",
        "",
        *(line for text in answer(trial) for line in wrap(text, WIDTH, subsequent_indent="  ")),
    ]
    for day in trial.days:
        lines += ["", *_estimates(trial, day), "", *_spread(trial, day), "", *_shares(trial, day)]
        lines += [*_needed(trial, day), "", *_counts(trial, day)]
        lines += [*sizes_text(trial, day), *_population(trial, day)]
    lines += [*looks_text(trial), *arms_text(trial), *family_text(trial), *estimands_text(trial)]
    notes = [*(f"Warning: {clean(text)}." for text in trial.warnings), legend(trial), NOTICE]
    return "\n".join([*lines, "", *(line for text in notes for line in wrap(text, WIDTH))])


def legend(trial: Trial) -> str:
    """What the words of the tables mean."""
    draws = 0 if trial.vectors is None else len(set(trial.vectors.tolist()))
    over = DRAWN.format(draws) if draws else ""
    return LEGEND.format(power=trial.power_word, over=over, test=trial.attrs["test"])


def _estimates(trial: Trial, day: float) -> Iterator[str]:
    rows = [[when(day), "truth", "mean estimate", "bias"]]
    for name in trial.analyses:
        figures = [trial.truth(name, day), trial.mean(name, day), trial.measure(name, "bias", day)]
        rows.append([named(trial, name), *(pair(one, 3) for one in figures)])
    return aligned(rows)


def _spread(trial: Trial, day: float) -> Iterator[str]:
    """How far estimates spread, and how far they say they do; how many there are, if not all."""
    keys = ("empirical_se", "model_se")
    body = [[named(trial, name), *(pair(trial.measure(name, key, day), 3) for key in keys)] for name in trial.analyses]
    rows = [["", "SD", "SE"], *body]
    estimable = [trial.measure(name, "estimable", day) for name in trial.analyses]
    if any(one.value < 1 for one in estimable):
        cells = ["estimable, %", *map(percent, estimable)]
        rows = [[*row, cell] for row, cell in zip(rows, cells, strict=True)]
    return aligned(rows)


def _shares(trial: Trial, day: float) -> Iterator[str]:
    """Shares in percent; a column that nothing is known of is left out."""
    table = {
        head.format(trial.power_word): [percent(trial.measure(name, key, day)) for name in trial.analyses]
        for head, key in SHARES
    }
    known = {head: cells for head, cells in table.items() if any(cell != "–" for cell in cells)}
    names = list(trial.analyses)
    return aligned([["", *known], *([name, *(cells[k] for cells in known.values())] for k, name in enumerate(names))])


def _needed(trial: Trial, day: float) -> Iterator[str]:
    """Participants needed for a power."""
    if "needed" not in trial.groups:
        return
    targets = list(trial.needed(trial.analyses[0], day))
    if not targets:
        return
    rows = [[f"participants needed for {trial.a_power} of", *(f"{100 * target:g} %" for target in targets)]]
    for name in trial.analyses:
        needed = trial.needed(name, day).values()
        rows += [[f"  {name}", *(people(one, LARGEST) for one in needed)]]
    yield ""
    yield from aligned(rows)


def _counts(trial: Trial, day: float) -> Iterator[str]:
    """What happens in a trial."""
    rows = [["in a trial, mean", *map(short, trial.arms)]]
    for name, label, digits in COUNTS:
        rows.append([f"  {label}", *(pair(trial.count(name, side, day), digits) for side in (0, 1))])
    rows.append(["  not measured, % of those without the event", *(percent(trial.missing(day, k)) for k in (0, 1))])
    yield from aligned(rows)
    yield from aligned([["  days from the first enrolment to the analysis", pair(trial.duration(day), 0)]])


def _population(trial: Trial, day: float) -> list[str]:
    """Facts that only a simulation knows."""
    if "population" not in trial.groups:
        return []
    rows = [[f"in {int(trial.attrs['people']):,} people simulated in both arms", ""]]
    for name, label, digits in FACTS:
        rows.append([f"  {label.format(unit=unit(trial))}", pair(trial.fact(name, day), digits)])
    return ["", *aligned(rows)]


def replicate_text(found: dict[str, Any]) -> str:
    """The estimates of one replicate."""
    heads = ["", "day", "value", "SE", "lower", "upper", "p", "n"]
    rows = [
        [row["analysis"], f"{row['day']:g}", *(f"{row[key]:.3f}" for key in ("value", "se", "lower", "upper")),
         f"{row['p']:.4f}", f"{row['n']:.0f}"]
        for row in found["estimates"]
    ]  # fmt: skip
    return "\n".join([f"replicate {found['replicate']:,}", *aligned([heads, *rows])])


def trial_document(trial: Trial) -> dict[str, Any]:
    """The study as one document: what was asked, each analysis with its estimand and figures, the population."""
    rows = [row._asdict() for row in trial.summary_rows()]
    return {
        "title": trial.title,
        "replicates": trial.replicates,
        "size": trial.size,
        "seed": trial.seed,
        "experimental": trial.arms[0],
        "control": trial.arms[1],
        "engine_version": trial.attrs["engine_version"],
        "scenario_sha256": trial.attrs["scenario_sha256"],
        "arguments": trial.arguments,
        "test": trial.attrs["test"],
        "analyses": [_analysis(trial, name, day) for day in trial.days for name in trial.analyses],
        "other": [
            {key: row[key] for key in ("metric", "time", "estimate", "mcse", "n")}
            for row in rows
            if not row["analysis"]
        ],
        **looks_document(trial),
        **arms_document(trial),
        **family_document(trial),
        "estimand": trial.estimand,
        "warnings": list(trial.warnings),
        "notice": NOTICE,
    }


def _analysis(trial: Trial, name: str, day: float) -> dict[str, Any]:
    one = analysis(name)
    found: dict[str, Any] = {"analysis": name, "day": day, "scale": one.scale, "estimand": trial.estimands[name]}
    found |= {"truth": trial.truth(name, day)._asdict(), "mean": trial.mean(name, day)._asdict()}
    found |= {key: figure._asdict() for key, figure in measured(trial, name, day).items()}
    needed = [{"power": target, **size._asdict()} for target, size in trial.needed(name, day).items()]
    return found | {"needed": needed, "flags": list(one.estimand.flags)}
