"""Tables of who was simulated and what became of them: baseline, and the flow from screening to the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from simulator.results import Result
from simulator.tables.table import Table

Values = dict[str, Any]
MOST = 6  # columns of strata
WORDS = {"<=": "≤", ">=": "≥", "alsfrs_r": "ALSFRS-R", "svc_percent": "SVC %", "nfl_plasma": "NfL"}
WORDS |= {"time_since_onset_months": "months since onset", "_": " "}
"""Of rules of eligibility."""


class Line(NamedTuple):
    """A line of the baseline table: `of` is what the patients or the truth must have."""

    label: str
    of: str
    write: Callable[[np.ndarray], str]


def _mean(values: np.ndarray) -> str:
    return f"{values.mean():.1f} ({values.std(ddof=1):.1f})" if len(values) > 1 else f"{values.mean():.1f}"


def _middle(values: np.ndarray) -> str:
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return f"{middle:.1f} ({low:.1f} to {high:.1f})"


def _share(values: np.ndarray) -> str:
    return f"{100 * np.mean(values > 0):.0f}"


LINES = (
    Line("Age, years, mean (SD)", "age", _mean),
    Line("Women, %", "sex", _share),
    Line("Fast variant, %", "fast_variant", _share),
    Line("Time since onset, months, median (quartiles)", "time_since_onset", _middle),
    Line("ALSFRS-R, points, mean (SD)", "alsfrs_r", _mean),
    Line("SVC, % of predicted, mean (SD)", "svc", _mean),
    Line("Plasma NfL, pg/mL, median (quartiles)", "nfl_plasma", _middle),
)


def people(result: Result) -> list[Table]:
    """Who was simulated, and what became of them; of sums there is neither."""
    return [baseline(result), flow(result)] if result.is_full and result.weight is None else []


def baseline(result: Result) -> Table:
    """At day 0: everybody, then the strata. The same people are in all arms."""
    patients, truth = result.groups["patients"], result.groups["truth"]
    known: Values = {name: one.values for name, one in patients.items()}
    known |= {name: truth[name].values[0, :, 0] for name in ("alsfrs_r", "svc", "nfl_plasma") if name in truth}
    strata = [name for name in result.strata if (known["stratum"] == name).any()][:MOST]
    parts = [np.ones(result.n_patients, bool), *(known["stratum"] == name for name in strata)]
    rows = [["People", *(f"{who.sum():,}" for who in parts)]]
    for line in LINES:
        if line.of in known:
            values = [np.asarray(known[line.of][who], np.float64) for who in parts]
            rows.append([line.label, *(_written(line, one[np.isfinite(one)]) for one in values)])
    return Table("People at baseline, true values", ["", "all", *strata], rows)


def _written(line: Line, values: np.ndarray) -> str:
    return line.write(values) if len(values) else "–"


class Screened(NamedTuple):
    """How many were tried for the patients of a result, and why the others were left out: these add up."""

    candidates: int
    reasons: list[tuple[str, int]]


def screened(result: Result) -> Screened:
    """From candidates to patients; of one person's twins those who do not match, and those who were not needed."""
    told, n = result.screening, result.n_patients
    if (tried := told.get("twins_looked_at")) is not None:
        unlike = min(round(int(tried) * (1 - float(told["share_that_fits"]))), int(tried) - n)
        ways = [("unlike what was measured", unlike), ("like it, not needed", int(tried) - n - unlike)]
        return Screened(int(tried), [way for way in ways if way[1]])
    counts: Counter[str] = Counter()
    for _, rule, count in told.get("rejected", []):
        counts[rule] += int(count)
    return Screened(int(told.get("candidates", n)), [(reason(rule), count) for rule, count in counts.most_common()])


def reason(rule: str) -> str:
    """A reason in words: a rule of eligibility is one that was not met."""
    if "=" not in rule:
        return rule
    for name, words in (
        ("<=", "≤"),
        (">=", "≥"),
        ("alsfrs_r", "ALSFRS-R"),
        ("svc_percent", "SVC %"),
        ("nfl_plasma", "NfL"),
    ):
        rule = rule.replace(name, words)
    return f"not {rule.replace('time_since_onset_months', 'months since onset').replace('_', ' ')}"


def ends(result: Result) -> list[tuple[str, np.ndarray]]:
    """What ended follow-up, by arm: these add up to the patients."""
    event = result.groups["events"]["event"].values
    known = (("died without ventilation", 1), ("permanent ventilation", 2), ("free of both to the end", 0))
    return [(label, (event == code).sum(axis=1)) for label, code in known]


def leavers(result: Result) -> np.ndarray:
    """How many would leave the observed trial before its end, by arm."""
    return np.isfinite(result.groups["events"]["dropout_time"].values).sum(axis=1)


def flow(result: Result) -> Table:
    """From candidates to the end of follow-up, arm by arm."""
    tried = screened(result).candidates
    rows = [
        ["Candidates", *[f"{tried:,}"] * len(result.arms)],
        ["Not eligible", *[f"{tried - result.n_patients:,}"] * len(result.arms)],
        ["Simulated, the same people", *[f"{result.n_patients:,}"] * len(result.arms)],
        *([label.capitalize(), *(f"{count:,}" for count in counts)] for label, counts in ends(result)),
    ]
    if (left := leavers(result)).any():
        rows.append(["Would have left the observed trial before the end", *(f"{count:,}" for count in left)])
    return Table("From candidates to the end of follow-up", ["", *result.arms], rows, (3,))
