"""A study of a trial as text of 80 columns, and as one JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.replicates import Measure
from simulator.analysis.trial.registry import analysis
from simulator.cli.trial_estimands import estimands_text
from simulator.results.notices import NOTICE
from simulator.studies.trial.answer import answer
from simulator.studies.trial.comparisons.shown import KEYS, NOTE, arms_of
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


LOOK_SHARES = ("benefit", "harm", "futility")
CALENDAR = (("calendar_day", 0), ("randomised", 1), ("reached", 1))
ENDS = (("participants", 1), ("days", 0))
"""What has a Monte Carlo error, and its digits."""
MOST_SIZES = 5
"""Columns of a line of 80; of more sizes some are shown, all are in the result."""


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


def arms_text(trial: Trial) -> list[str]:
    """Tables for each analysis, a row for each arm and the trial; nothing without comparisons."""
    lines: list[str] = []
    for one in arms_of(trial):
        for table in filter(None, (one.decided, one.found, one.regimens)):
            lines += ["", *aligned([[f"{one.analysis}, by arm", *table[0][1:]], *table[1:]])]
        lines += [line for words in one.words for line in wrap(words, WIDTH)]
    return [*lines, *wrap(NOTE, WIDTH)] if lines else []


def arms_document(trial: Trial) -> dict[str, Any]:
    """The same as plain data."""
    return {
        key: {name: one.values.tolist() for name, one in trial.groups[key].items()}
        for key in KEYS
        if key in trial.groups
    }


def family_text(trial: Trial) -> list[str]:
    """A row for each claim, any and all; nothing without a family."""
    found = trial.family
    if not found:
        return []
    none = all(np.isnan(error.value) for _, error in found.values())
    heads = [f"claims, {trial.attrs['procedure']}", f"{trial.power_word}, %", *([] if none else ["error, %"])]
    rows = [[claim, percent(power), *([] if none else [percent(error)])] for claim, (power, error) in found.items()]
    return ["", *aligned([heads, *rows])]


def family_document(trial: Trial) -> dict[str, Any]:
    """The same as plain data."""
    if not trial.family:
        return {}
    rows = [
        {"claim": claim, trial.power_word: power._asdict(), "error": _known(error)}
        for claim, (power, error) in trial.family.items()
    ]
    return {"family": {"procedure": trial.attrs["procedure"], "claims": rows}}


def _known(one: Measure) -> dict[str, float] | None:
    return None if np.isnan(one.value) else one._asdict()


def looks_text(trial: Trial) -> list[str]:
    """Boundaries by look, then what each analysis comes to, with and without an effect; nothing without looks."""
    if "interim" not in trial.groups:
        return []
    at = {name: one.values for name, one in trial.groups["interim"].items()}
    heads = ["look", "calendar day", "randomised", "arrived", "info, %", "|Z| benefit", "Z, futility"]
    rows = [
        [str(k), *(_with_error(at, name, k - 1, digits) for name, digits in CALENDAR),
         f"{100 * at['information_at'][0, k - 1]:.0f}", _or_dash(at["efficacy"][0, k - 1]),
         _or_dash(at["futility_bound"][0, k - 1])]
        for k in at["look"]
    ]  # fmt: skip
    rows[-1][0] = "end"
    of = [f"Information and bounds of {at['analysis'][0]}."] * (len(at["analysis"]) > 1)
    return ["", *aligned([heads, *rows]), *of, "", *_outcomes(trial)]


def _outcomes(trial: Trial) -> list[str]:
    """Why trials end, and what they come to: a row for each analysis, and one more for it without an effect."""
    why = [["with looks", *(f"{word}, %" for word in LOOK_SHARES)]]
    ends = [["at the end", "people", "days"]]
    values = [["at the end", "estimate", "median unbiased", "held, %"]]
    for key, label in (("interim", ""), ("interim_null", " (no effect)")):
        at = {name: one.values for name, one in trial.groups.get(key, {}).items()}
        for a, name in enumerate(at.get("analysis", ())):
            shares = (Measure(at[one][a], at[f"{one}_mcse"][a]) for one in LOOK_SHARES)
            why.append([f"{name}{label}", *map(percent, shares)])
            held = percent(Measure(at["covered"][a], at["covered_mcse"][a]))
            ends.append([f"{name}{label}", *(_with_error(at, one, a, digits) for one, digits in ENDS)])
            values.append([f"{name}{label}", *(_with_error(at, one, a, 3) for one in ("value", "median")), held])
    return [*aligned(why), "", *aligned(ends), "", *aligned(values)]


def _with_error(at: Mapping[str, Any], name: str, place: int, digits: int) -> str:
    return pair(Measure(float(at[name][place]), float(at[f"{name}_mcse"][place])), digits)


def sizes_text(trial: Trial, day: float) -> list[str]:
    """Power in percent by the number of participants, where sizes were asked for."""
    if "power" not in trial.groups:
        return []
    sizes = trial.groups["power"]["size"].values.tolist()
    shown = sizes[:: -(-len(sizes) // MOST_SIZES)]
    rows = [[f"{trial.power_word}, %, with participants", *(f"{size:,}" for size in shown)]]
    for name in trial.analyses:
        found = trial.power(name, day)
        rows.append([f"  {name}", *(f"{100 * found[s].value:.0f} ± {100 * found[s].mcse:.0f}" for s in shown)])
    return ["", *aligned(rows)]


def _or_dash(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else "–"


def looks_document(trial: Trial) -> dict[str, Any]:
    """The groups of the looks as plain data."""
    return {
        key: {name: one.values.tolist() for name, one in trial.groups[key].items()}
        for key in ("interim", "interim_null")
        if key in trial.groups
    }
