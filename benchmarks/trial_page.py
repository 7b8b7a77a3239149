"""The page of validation of the trials, from its figures.

    python -m benchmarks.trial_page

puts the figures of benchmarks/validation/*.json into the words of benchmarks/validation/page.md and writes
docs/trial_validation.md. A test holds the page to it. In the words, `{{primary/balanced/mi/power|%1}}` is a figure with
one digit, in percent; `±` gives its Monte Carlo error too, `exp` its exponential; `{{table null}}` is a table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from math import exp
from pathlib import Path
from typing import Any

from benchmarks.validation_arms import DESIGNS as ARMS
from benchmarks.validation_base import PLAIN
from benchmarks.validation_borrowing import BORROWING, DRIFTS, RULES, TWO_ARMS
from benchmarks.validation_families import CLAIMS, PROCEDURES

FOLDER = Path(__file__).parent / "validation"
PAGE = Path(__file__).parents[1] / "docs" / "trial_validation.md"
NONE = "–"
Figures = dict[str, Any]


def figures() -> Figures:
    """All sections by name."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}


def at(all_: Figures, path: str) -> Any:
    """The figure at a path; KeyError where there is none."""
    here: Any = all_
    for word in path.split("/"):
        here = here[int(word)] if isinstance(here, list) else here[word]
    return here


def shown(figure: Any, how: str) -> str:
    """A figure, or a figure with its error, in the form that `how` asks for."""
    value, *error = figure[:2] if isinstance(figure, list) else [figure]  # an interval may follow
    if value is None:
        return NONE
    digits, scale = int(how[-1]), 100 if "%" in how else 1
    parts = [exp(value) if "exp" in how else value, *(error if "±" in how else [])]
    words = (f"{round(scale * one, digits) + 0.0:,.{digits}f}" for one in parts)  # + 0.0: no -0
    return " ± ".join(words).replace("-", "−")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def outside(section: Figures) -> list[str]:
    """Analyses whose rejections leave the band, or whose intervals do."""
    return [name for name, one in section.items() if not (one["inside"] and one["covers"])]


def null(all_: Figures) -> str:
    """Size and coverage; a star marks what is outside."""

    def cells(name: str) -> Iterator[str]:
        for key in ("null_108", "null_60"):
            one = all_[key][name]
            yield shown(one["rejection"], "%±1") + ("" if one["inside"] else " \\*")
            yield shown(one["coverage"], "%±1") + ("" if one["covers"] else " \\*")
            yield shown(one["relative_error"], "%0")

    columns = ("rejected, %", "covered, %", "model SE / empirical SE − 1, %")
    head = ["analysis", *(f"{column} ({n})" for n in (108, 60) for column in columns)]
    return table(head, [[f"`{name}`", *cells(name)] for name in PLAIN])


def options(all_: Figures) -> str:
    """The same of options of analyses."""
    keys = ("null_108", "null_60")

    def cells(label: str) -> Iterator[str]:
        for one in (all_["options"][key][label] for key in keys):
            yield shown(one["rejection"], "%±1") + ("" if one["inside"] else " \\*")
            yield shown(one["coverage"], "%±1") + ("" if one["covers"] else " \\*")
            yield shown(one["estimable"], "%1")

    head = [
        "analysis",
        *(f"{column} ({n})" for n in (108, 60) for column in ("rejected, %", "covered, %", "estimable, %")),
    ]
    return table(head, [[label, *cells(label)] for label in all_["options"][keys[0]]])


def drug(all_: Figures) -> str:
    """Truth, bias, coverage and power with the drug."""
    section, digits = all_["drug_108"], {"rmst": 2}
    rows = []
    for name in (name for name in PLAIN if name in section):
        one, d = section[name], digits.get(name, 3)
        sign = ["%0", "%0", "%0"]
        rows.append(
            [f"`{name}`", shown(one["truth"], f"±{d}"), shown(one["bias"], f"±{d}"), shown(one["empirical_se"], f"{d}")]
            + [shown(one[key], how) for key, how in zip(("coverage", "rejection", "right_sign"), sign, strict=True)]
        )
    return table(["analysis", "truth", "bias", "SD", "covered, %", "power, %", "right sign, %"], rows)


def spread(one: Figures) -> list[str]:
    """Mean, SD and central 95 % of estimates."""
    low, high = (shown(one["quantiles"][q], "1") for q in ("0.025", "0.975"))
    return [shown(one["mean"], "±2"), shown(one["sd"], "2"), f"{low} to {high}"]


def families(all_: Figures) -> str:
    """Several claims at one level."""
    rows = []
    for name in PROCEDURES:
        null, drug = (all_["families"][key][name] for key in ("null", "drug"))
        cells = [shown(null["any"], "%±1"), *(shown(one, "%±1") for one in (*drug["each"], drug["any"], drug["all"]))]
        rows.append([f"`{name}`", *cells])
    claims = [f"`{name}`, %" for name in CLAIMS]
    return table(["procedure", "any claim without an effect, %", *claims, "any, %", "all, %"], rows)


def arms(all_: Figures) -> str:
    """Several arms against a control: errors where nothing works and where one of three does not, power, people."""
    rows = []
    for label in ARMS:
        one = all_["arms"][label]
        size = " / ".join(shown(each, "%1") for each in one["none_each"])
        each = " / ".join(shown(power, "%0") for power in one["each"])
        error = shown(one["none"], "%±1") + ("" if one["inside"] else " \\*")
        cells = [size, error, shown(one["two_work"], "%±1"), each, shown(one["any"], "%±1")]
        rows.append([label, *cells, shown(one["participants"], "0"), shown(one["days"], "0")])
    head = ["design", "each without an effect, %", "any without an effect, %", "error of `low` where two work, %"]
    return table([*head, "power of each, %", "of any, %", "participants", "days"], rows)


def after_looks(all_: Figures) -> str:
    """Error and estimates of a trial with looks, by what counts as information."""
    rows = []
    for label, one in all_["arms"]["after_looks"].items():
        effect, name, information = label.split(" ")
        cells = [shown(one[key], "%±1") for key in ("benefit", "harm", "median_below", "covered", "repeated_covered")]
        rows.append([f"`{name}`", "drug" if effect == "drug" else "no effect", information, *cells])
    head = ["analysis", "", "information", "benefit, %", "harm, %", "median estimate below the truth, %", "covered, %"]
    return table([*head, "covered, repeated, %"], rows)


MODELS = {"true": "the true one", "ensemble": "20 vectors of the ensemble", "all_alike": "one speed for all"} | {
    "generic": "`generic_als`"
}


def prognostic(all_: Figures) -> str:
    """Analyses with scores, by the model in which they were learnt."""
    rows = []
    for trial, people in (("valor", "VALOR, 108"), ("generic", "ALS of every cause, 200")):
        for model, words in MODELS.items():
            for name, one in all_["prognostic"][trial].get(model, {}).items():
                of = words if name.endswith("_prognostic") else NONE
                gain = shown(one["gain"], "%±0") if "gain" in one else NONE
                cells = [shown(one["rejection"], "%±1"), shown(one["power"], "%±1"), shown(one["sd"], "2"), gain]
                rows.append([people, f"`{name}`", of, *cells])
    return table(["trial", "analysis", "model", "rejected without an effect, %", "power, %", "SD", "gain, %"], rows)


PLACED = (
    "mean", "SD", "95 % of trials", "power, %", "right sign, %", "at or below published, %",
    "interval holds published, %", "width of interval",
)  # fmt: skip


def placed(one: Figures) -> list[str]:
    """Where a published estimate falls, in the order of PLACED."""
    keys = ("power", "right_sign", "at_or_below_published", "interval_holds_published")
    return [*spread(one), *(shown(one[key], "%0") for key in keys), shown(one["width"]["mean"], "1")]


def primary(all_: Figures) -> str:
    """VALOR's primary analysis, week 28."""
    rows = [
        [
            f"`{name}`, {'as allocated' if key == 'balanced' else 'more NfL on tofersen'}",
            *placed(all_["primary"][key][name]),
        ]
        for key in ("balanced", "imbalanced")
        for name in ("mi", "ancova", "ancova_nfl")
    ]
    return table(["analysis", *PLACED], rows)


def extension(all_: Figures) -> str:
    """Week 52."""
    names = ("mi", "ancova", "ancova_nfl")
    return table(["analysis", *PLACED], [[f"`{name}`", *placed(all_["extension"]["week_52"][name])] for name in names])


DESIGNS = {
    "nfl_unenriched": "`nfl_unenriched`",
    "nfl_enriched": "`nfl_enriched`",
    "no_lead_in": "`no_lead_in`",
    "lead_in": "`lead_in`",
    "lead_in_adjusted": "`lead_in`, `ancova` adjusted for `lead_in_change`",
}


def designs(all_: Figures) -> str:
    """Enrichment and lead-in against none."""
    rows = []
    for key, label in DESIGNS.items():
        one = all_["designs"][key]
        for name in ("ancova", "joint_rank"):
            mine, d = one[name], 2 if name == "ancova" else 3
            cells = [shown(mine["mean"], f"±{d}"), shown(mine["sd"], f"{d}"), shown(mine["power"], "%±1")]
            cells += [shown(mine["needed"], "±0"), shown(mine["screened_for_needed"], "0")]
            if key != "lead_in_adjusted" or name == "ancova":
                rows.append([label, f"`{name}`", *cells, shown(one["duration_days"], "0")])
    head = ["design", "analysis", "mean", "SD", "power with 108, %", "randomised for 80 %", "screened for 80 %"]
    return table([*head, "days, with 108"], rows)


def looks(all_: Figures) -> str:
    """Two looks on the way."""
    rows = []
    for name in ("ancova", "joint_rank"):
        for effect, words in (("drug", "drug"), ("null", "no effect")):
            for end, rule in (("", "benefit, futility"), ("_without_futility", "benefit, harm")):
                one = all_["designs"]["group_sequential"][f"{effect}_{name}{end}"]
                cells = [shown(one[key], "%1") for key in ("fixed", "benefit", "harm", "futility")]
                cells += [shown(one[key], "0") for key in ("participants", "days")]
                rows.append([f"`{name}`", words, rule, *cells, shown(one["value"], "±2" if name == "ancova" else "±3")])
    head = ["analysis", "", "stops for", "fixed, %", "benefit, %", "harm, %", "futility, %", "participants", "days"]
    return table([*head, "mean estimate"], rows)


def borrowing(all_: Figures) -> str:
    """Claims of benefit where nothing works, power and bias, by how far earlier controls are from the trial's own."""
    section, rows = all_["borrowing"], []
    alone = {"event_rate_alone": "`event_rate_map`, `borrowed=0`"}
    for name in ("ancova", "ancova_prognostic", "event_rate_alone", *BORROWING):
        drifts = DRIFTS if f"{name} 1" in section["null"] else (0.0,)
        for drift in drifts:
            null, drug = (section[key][f"{name} {drift:g}"] for key in ("null", "drug"))
            high = null["benefit"][0] > section["band"][1]
            cells = [shown(null["benefit"], "%±1") + " \\*" * high, shown(drug["benefit"], "%±1")]
            cells += [shown(null["mean"], "±2"), shown(null["sd"], "2"), shown(null["se"], "2")]
            told = shown(null["borrowed"], "±1") if len(drifts) > 1 else NONE
            label = f"{drift:g}".replace("-", "−") if len(drifts) > 1 else NONE
            rows.append([alone.get(name, f"`{name}`"), label, *cells, told])
    head = ["analysis", "drift, SD", "benefit without an effect, %", "with the drug, %", "mean without an effect"]
    return table([*head, "SD", "posterior SD", "borrowed"], rows)


def posterior(all_: Figures) -> str:
    """Two arms by posterior probabilities: claims, stops, people, days; without an effect and with the drug."""
    rows = []
    for name in TWO_ARMS:
        for rule in RULES:
            one = all_["posterior"]["two_arms"][f"{name}: {rule}"]
            each = [
                shown(one[key][what], "%±1") for key in ("null", "drug") for what in ("benefit", "futility", "early")
            ]
            people = [
                f"{shown(one[key]['participants'], '0')} / {shown(one[key]['days'], '0')}" for key in ("null", "drug")
            ]
            rows.append([f"`{name}`", rule, *each[:3], people[0], *each[3:], people[1]])
    parts = ("benefit, %", "futility, %", "ends at a look, %", "people / days")
    return table(["analysis", "rule", *(f"{part} ({key})" for key in ("no effect", "drug") for part in parts)], rows)


def posterior_arms(all_: Figures) -> str:
    """Several arms by posterior probabilities."""
    rows = []
    for key, words in (("none", "no effect"), ("drug", "drug")):
        one = all_["posterior"]["arms"][key]
        each = [" / ".join(shown(arm, "%1") for arm in one[what]) for what in ("each", "futile", "early")]
        rows.append(
            [words, *each, shown(one["any"], "%±1"), shown(one["participants"], "±0"), shown(one["days"], "±0")]
        )
    head = ["", "benefit of each, %", "futile, each, %", "ends at the look, each, %", "benefit of any, %"]
    return table([*head, "participants", "days"], rows)


TABLES: dict[str, Callable[[Figures], str]] = {
    one.__name__: one
    for one in (
        *(null, options, drug, families, arms, after_looks, prognostic, primary, extension, designs, looks),
        *(borrowing,),
    )
}


def page(all_: Figures) -> str:
    """The page."""
    words = (FOLDER / "page.md").read_text("utf-8")
    words = re.sub(r"\{\{table (\w+)\}\}", lambda found: TABLES[found[1]](all_), words)
    return re.sub(r"\{\{([^}|]+)\|([^}]+)\}\}", lambda found: shown(at(all_, found[1]), found[2]), words)


if __name__ == "__main__":
    PAGE.write_text(page(figures()), encoding="utf-8")
