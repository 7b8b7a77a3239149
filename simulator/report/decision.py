"""The report of a decision, laid out by the 28 items of CHEERS 2022.

References
----------
Husereau et al. (2022), Consolidated Health Economic Evaluation Reporting Standards 2022 statement,
doi:10.1136/bmj-2021-067975.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from simulator.language.display import treated
from simulator.report.captions import figure
from simulator.report.content import Page, Pair, asked, words
from simulator.report.evidence import evidence
from simulator.studies.decide.tables import Cell
from simulator.studies.decide.tables import Table as Decision
from simulator.tables.table import Table
from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario
    from simulator.studies.decide.result import Decided

FIRST = ("outcomes", "incremental", "probabilistic", "information", "study", "prices")
"""Tables of page one; of outcomes and increments a few columns at a time."""
LISTED = 60
"""Rows of a table in the report; the others are in its CSV file."""
PAGE, GAP = 118, 3
"""Characters that fit side by side, and those that the space between two columns takes."""
NOTE = (
    "± is the Monte Carlo standard error; SD is the spread over the draws of everything uncertain. Discounted unless "
    "it says otherwise. An ICER is against the option named under versus."
)
AUTHOR = "The model does not say: the author's to write."
ITEMS = (
    ("Title", "Title of this report"),
    ("Abstract", "What is asked; What the simulation gives"),
    ("Background and objectives", "What is asked: question of interest, context of use"),
    ("Health economic analysis plan", "The resolved scenario is the plan; it decides every number"),
    ("Study population", "The resolved scenario: disease, entry, strata"),
    ("Setting and location", "The author's to write; prices are in {currency}"),
    ("Comparators", "What is asked: arms"),
    ("Perspective", "{perspective}"),
    ("Time horizon", "{horizon}; share alive at the horizon in the first table"),
    ("Discount rate", "{discount}"),
    ("Selection of outcomes", "Life years and QALYs: first table"),
    ("Measurement of outcomes", "Every value of the scenario: decision.utilities"),
    ("Valuation of outcomes", "Every value of the scenario: decision.utilities, with sources"),
    ("Measurement and valuation of resources and costs", "Every value of the scenario: decision.costs; table of parts"),
    ("Currency, price date, and conversion", "{currency} of {year}; {converted}"),
    ("Rationale and description of model", "docs/model.md of the program; model {model}"),
    ("Analytics and assumptions", "What it rests on; the resolved scenario"),
    ("Characterizing heterogeneity", "{subgroups}"),
    ("Characterizing distributional effects", "Not assessed"),
    ("Characterizing uncertainty", "Tables of both errors; pictures; value of information"),
    ("Approach to engagement with patients and others affected by the study", AUTHOR),
    ("Study parameters", "Table: values of the decision, and all that is uncertain"),
    ("Summary of main results", "What the simulation gives"),
    ("Effect of uncertainty", "Probabilistic analysis; acceptability; expected loss; one-way differences"),
    ("Effect of engagement with patients and others affected by the study", AUTHOR),
    ("Study findings, limitations, generalizability, and current knowledge", "Warnings; What it rests on; the rest: "
     + AUTHOR),
    ("Source of funding", AUTHOR),
    ("Conflicts of interest", AUTHOR),
)  # fmt: skip


def decision_content(found: Decided) -> Page:
    """The report of a decision."""
    from simulator.language import ScenarioError, parse

    scenario: Scenario | None
    try:
        scenario, fault = parse(found.scenario.encode("utf-8"), found.scenario_name), ""
    except ScenarioError as error:
        scenario, fault = None, str(error.errors[0])
    main = [one for name in FIRST if name in found.tables for one in _fitting(found.tables[name])]
    aside = (*FIRST, "plane")  # its picture is there
    rest = [one for name, table in found.tables.items() if name not in aside for one in _fitting(table)]
    told = [f"Not drawn, for they have no prior: {', '.join(found.fixed)}."] if found.fixed else []
    return Page(
        title=found.title,
        lead=f"{found.basis}.",
        answer=found.answer,
        notice=found.notice,
        asked=asked(scenario),
        arms=[Pair(arm, treated(scenario, arm)) for arm in found.options] if scenario else [],
        main=main,
        note=NOTE,
        evidence=evidence(scenario) if scenario else None,
        unreadable=fault,
        warnings=(*found.warnings, *told),
        pictures=[figure(str(kind), found.plot.draw(kind).svg()) for kind in found.plot.kinds],
        tables=[cheers(found, scenario), *rest],
        scenario_yaml=found.scenario,
        citations=list(scenario.citations()) if scenario else [],
        provenance=_provenance(found),
    )


def cheers(found: Decided, scenario: Scenario | None) -> Table:
    """Where each item of CHEERS 2022 stands."""
    said = _said(found, scenario)
    rows = [[f"{number}. {item}", place.format(**said)] for number, (item, place) in enumerate(ITEMS, 1)]
    return Table("CHEERS 2022: where each item stands", ["Item", "Where"], rows, words=True)


def _said(found: Decided, scenario: Scenario | None) -> dict[str, str]:
    """What the decision itself says of some items."""
    block = scenario.decision if scenario else None
    names = ("model", "currency", "year", "perspective", "converted")
    said = dict.fromkeys(names, "not readable")
    if scenario is not None and block is not None:
        places = [place for place, amount in block.amounts() if amount.index is not None]
        converted = f"converted by a stated index: {', '.join(places)}" if places else "nothing is converted"
        values = scenario.progression.model, block.currency, str(block.price_year), block.perspective, converted
        said = dict(zip(names, values, strict=True))
    said |= {"horizon": found.horizon or found.basis, "discount": found.discount or found.basis}
    return said | {"subgroups": "Table: for whom" if "subgroups" in found.tables else "No subgroups were asked for"}


def _fitting(table: Decision) -> Iterator[Table]:
    """A table of the decision as those of the report, each no wider than a page and with so many rows at most."""
    if table.name == "parameters":
        yield Table(table.caption, table.heads[:-1], [row[:-1] for row in table.texts()], words=True)
        return
    caption, joined = table.caption, table.joined()
    joined = joined[: LISTED + 1]
    if joined[0][1] == "option":  # two words name a row, where it goes on below too
        joined = [[f"{row[0]}, {row[1]}", *row[2:]] for row in joined]
    if table.name == "information" and (worthless := sum(map(_is_worthless, table.rows))):
        joined = [
            joined[0],
            *(text for text, row in zip(joined[1:], table.rows, strict=False) if not _is_worthless(row)),
        ]
        caption += f"; {worthless} more, of which the draws tell no worth, in {table.name}.csv"
    elif len(table.rows) > LISTED:
        caption += f"; the first {LISTED} of {len(table.rows)} rows, all in {table.name}.csv"
    heads, body = joined[0], joined[1:]
    for start, end in _side_by_side(joined):
        part = [[row[0], *row[start:end]] for row in body]
        yield Table(
            caption if start == 1 else f"{caption.split(';')[0]}, continued",
            ["" if start > 1 else heads[0], *heads[start:end]],
            part,
        )


def _is_worthless(row: Sequence[Cell]) -> bool:
    """Whether a value or a group is worth nothing that the draws can tell."""
    return row[4] is not None and not row[2]


def _side_by_side(joined: list[list[str]]) -> Iterator[tuple[int, int]]:
    """Columns, the first aside, that fit a page beside it: from one to before another."""
    heads, body = joined[0], joined[1:]
    needs = [
        GAP + max(max(map(len, head.split()), default=0), *(len(row[k]) for row in body), 0)
        for k, head in enumerate(heads)
    ]
    start, used = 1, needs[0]
    for k in range(1, len(heads)):
        used += needs[k]
        if used > PAGE and k > start:
            yield start, k
            start, used = k, needs[0] + needs[k]
    yield start, len(heads)


def _provenance(found: Decided) -> list[Pair]:
    return [
        Pair("Scenario", f"{found.scenario_name}, SHA-256 {found.scenario_sha256}"),
        Pair("Seed", str(found.seed)),
        Pair("Arguments", words(found.arguments)),
        Pair("Simulated by", f"als-simulator {found.engine_version}"),
        Pair("Report by", f"als-simulator {__version__}"),
        Pair("Again", "als-sim replay DIR runs the folder of this decision again and compares every number."),
    ]
