"""The study of a decision: its folder, what it draws, curves, worth of information, and the tables of the base case."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

import simulator as sim
from simulator.errors import SimulatorError, UsageError
from simulator.language.catalogued import catalogued
from simulator.measures import economics
from simulator.report.decision import ITEMS, decision_content
from simulator.report.page import report_html
from simulator.studies.decide import study as deciding
from simulator.studies.decide.drawing import draws_of
from simulator.studies.decide.forecast import plan_of
from simulator.studies.decide.reading import compared
from simulator.studies.decide.study import Request
from simulator.studies.decide.tables import BELOW, BESIDE, row_of
from tests.support import chromium

TRIAL = {"outcome": "alsfrs_r_change_death0", "arm": "now", "against": "untreated", "day": 196, "per_arm": 72}
SMALL = {"patients": 60, "draws": 4, "replicates": 2, "draw_patients": 8}


@pytest.fixture(scope="module")
def scenario():
    """Two options for a year; a cost and two utilities have priors."""
    own = sim.load("worth_treating").content()["decision"]
    states = {f"stage_{k}": 0.8 - 0.1 * k for k in range(5)}
    states["stage_0"] = {"value": 0.8, "evidence": "assumed", "prior": {"normal": {"mean": 0.8, "sd": 0.05}}}
    states["stage_4"] = {"value": 0.4, "evidence": "assumed", "prior": {"normal": {"mean": 0.4, "sd": 0.05}}}
    price = {"value": 1800, "evidence": "assumed", "prior": {"lognormal": {"median": 1800, "log_sd": 0.3}}}
    return sim.load("worth_treating").replace(
        {
            "arms": {"untreated": [], "now": [{"treatments": ["tofersen"], "from_day": 0}]}, "follow_up_days": 364,
            "sensitivity": None,
            "decision": {
                **own, "options": ["untreated", "now"], "day": 364, "thresholds": [0, 100_000, 300_000],
                "utilities": {"system": "ft9", "states": states}, "correlation": {"utilities": 0.9},
                "costs": {"per_dose": {"tofersen": price}, "per_month": {"alive": 2000}, "once": {"now": 500},
                          "per_event": {"death": 3000}},
                "subgroups": ["sex", "stratum"],
                "scenarios": {"half the price": {"decision.costs.per_dose.tofersen": 900}},
                "severity": {"expected_qalys": 18, "option": "untreated", "bands": [
                    {"absolute": 12, "proportional": 0.85, "weight": 1.2},
                    {"absolute": 18, "proportional": 0.95, "weight": 1.7}]},
                "research": {"cost": 1e6, "patients": 100, "about": ["effect"], "standard_errors": {"effect": 0.3},
                             "trial": TRIAL},
                "budget": {"new_patients": [10, 12], "current": "untreated", "uptake": {"now": [0.5, 1]}},
            },
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("decision") / "a"


@pytest.fixture(scope="module")
def found(scenario, place):
    return sim.decide(scenario, folder=place, **SMALL)


def test_a_stated_trial_needs_other_people(scenario):
    with pytest.raises(UsageError, match="Ask for 2 replicates"):
        sim.decide(scenario, **SMALL | {"replicates": 1})


@pytest.mark.slow
def test_a_threshold_need_not_be_a_whole_number(scenario, tmp_path):
    found = sim.decide(scenario.replace({"decision.willingness_to_pay": 99_999.5}), folder=tmp_path / "a", **SMALL)
    assert sim.open(tmp_path / "a").threshold == found.threshold == 99_999.5
    assert "At 100,000 USD a QALY" in found.answer[-1]


@pytest.mark.slow
def test_a_folder_holds_every_table_and_goes_on(scenario, place, found, monkeypatch):
    names = {"outcomes", "incremental", "costs", "probabilistic", "acceptability", "loss", "plane", "information",
             "prices", "subgroups", "scenarios", "severity", "budget", "parameters", "oneway", "study"}  # fmt: skip
    assert set(found.tables) == names
    assert [row[0] for row in found.tables["study"].rows] == ["trial, 72 an arm (EVSI)"]  # 4 draws tell no values apart
    assert "4 draws are too few" in found.tables["study"].note
    assert {one.stem for one in place.glob("*.csv")} == names | {"decision"}
    assert not [one for one in place.glob("*.csv") if "None" in one.read_text("utf-8")]
    axes = found.plot.plane().figure.axes[0]
    for low, high in (axes.get_xlim(), axes.get_ylim()):
        assert low <= 0 <= high
    again = sim.open(place)
    assert again.tables == found.tables
    assert again.content() == json.loads(json.dumps(found.content()))
    from simulator import run

    once = []
    real = run.simulate
    monkeypatch.setattr(run, "simulate", lambda *a, **k: once.append(1) or real(*a, **k))
    assert sim.decide(scenario, folder=place, **SMALL).tables == found.tables
    assert len(once) == 1  # the base case; every run of the draws was kept
    with pytest.raises(SimulatorError, match="holds a decision"):
        sim.sensitivity(scenario.replace({"sensitivity": {"outcome": "qalys", "arm": "now"}}), folder=place)


def test_a_saved_document_is_opened_and_guarded(found, tmp_path):
    found.save(tmp_path / "mine.json")
    assert sim.open(tmp_path / "mine.json").tables == found.tables
    text = (tmp_path / "mine.json").read_text().replace('"seed": 1', '"seed": 2', 1)
    (tmp_path / "mine.json").write_text(text)
    with pytest.raises(SimulatorError, match="damaged"):
        sim.open(tmp_path / "mine.json")


def test_a_decision_of_before_is_shown_with_what_it_has(found):
    """Without the fields and the column that came later."""
    content = found.content()
    del content["format"], content["horizon"], content["discount"]
    table = next(one for one in content["tables"] if one["name"] == "oneway")
    k = [one[0] for one in table["columns"]].index("at own")
    table["columns"] = [*table["columns"][:k], *table["columns"][k + 1 :]]
    table["rows"] = [[*row[:k], *row[k + 1 :]] for row in table["rows"]]
    old = type(found).from_content(content)
    assert "oneway" not in old.plot.kinds
    assert "9. Time horizon" in report_html(old)


@pytest.mark.slow
def test_the_report_has_the_28_items_of_cheers_and_no_gap(found):
    page = report_html(found)
    assert len(ITEMS) == 28
    assert all(f"{number}. {item}" in page for number, (item, _) in enumerate(ITEMS, 1))
    assert found.plot.kinds == ("plane", "acceptability", "loss", "oneway")
    content = decision_content(found)
    assert [one.caption for one in content.tables if one.words] == [
        "CHEERS 2022: where each item stands", found.tables["parameters"].caption
    ]  # fmt: skip
    for one in (*content.main, *content.tables):  # nothing is cut off beside a page of 118 characters
        if not one.words and len(one.heads) > 2:
            wide = [max(len(row[k]) for row in one.rows) for k in range(len(one.heads))]
            assert sum(wide) + 3 * len(wide) <= 118, one.caption
    for caption in ("Budget impact by year", "For whom", "At what price", "Severity"):
        assert caption in page


@pytest.mark.skipif(chromium.PROGRAM is None, reason="there is no Chromium")
def test_the_report_fits_a_phone(found, tmp_path):
    (tmp_path / "report.html").write_text(report_html(found))
    browser = chromium.Browser(tmp_path / "chromium")
    browser.size(390, 844)
    browser.open((tmp_path / "report.html").as_uri())
    browser.until("document.readyState === 'complete'")
    cells = "Array.from(document.querySelectorAll('.stack td:not(:empty)'))"
    high = browser.run(f"{cells}.filter(one => one.dataset.head === 'Where' && one.offsetHeight > 90).length")
    wide = browser.run("document.documentElement.scrollWidth")
    browser.close()
    assert (high, wide) == (0, 390)


class Elsewhere(ThreadPoolExecutor):
    """An executor that hands over what it is given as another process would get it."""

    handed = 0

    def submit(self, function, *arguments):
        self.handed += 1
        return super().submit(*pickle.loads(pickle.dumps((function, *arguments))))


@pytest.mark.slow
def test_runs_go_to_the_executor_that_is_asked_for(scenario, found):
    """Every run of a draw and of a one-way difference, with the same tables."""
    with Elsewhere(2) as pool:
        again = sim.decide(scenario, executor=pool, **SMALL)
        assert pool.handed >= SMALL["draws"] * SMALL["replicates"]
    assert again.tables == found.tables


def test_every_table_is_a_sheet(found):
    openpyxl = pytest.importorskip("openpyxl")
    from io import BytesIO

    book = openpyxl.load_workbook(BytesIO(found.excel()))
    assert book.sheetnames == list(found.tables)
    sheet = book["budget"]
    assert [cell.value for cell in sheet[2]] == found.tables["budget"].heads


def cells(table, row):
    """A row by heads; those of an error and a spread follow the head of their figure."""
    found, before = {}, ""
    for column, cell in zip(table.columns, row, strict=True):
        before = before if column.name in BESIDE else column.name
        found[column.name if before == column.name else f"{before} {column.name}"] = cell
    return found


def test_every_table_has_both_errors(found):
    """The group of all people is the base case; a year of a budget is its costs; a price makes the net benefit 0."""
    base = cells(found.tables["incremental"], found.tables["incremental"].rows[-1])
    table = found.tables["subgroups"]
    assert [row[0].split()[0] for row in table.rows] == ["men", "men", "women", "women", "all", "all"]
    whole = cells(table, table.rows[-1])
    for head in ("extra costs", "extra QALYs", "ICER", "net benefit"):
        for key in (head, f"{head} ±", f"{head} SD"):
            assert whole[key] == pytest.approx(base[key]) if isinstance(base[key], float) else whole[key] == base[key]
    severity = cells(found.tables["severity"], found.tables["severity"].rows[-1])
    assert severity["weighted ICER ±"] == pytest.approx(base["ICER ±"] / severity["weight"])
    assert severity["absolute shortfall ±"] == pytest.approx(18 * severity["proportional shortfall ±"])
    for name, heads in (("budget", ("budget impact",)), ("prices", ("price that the threshold allows",)),
                        ("severity", ("weighted extra net benefit", "absolute shortfall"))):  # fmt: skip
        row = cells(found.tables[name], found.tables[name].rows[-1])
        for head in heads:
            assert row[f"{head} ±"] > 0
            assert row[f"{head} SD"] == BELOW or row[f"{head} SD"] >= 0


def test_a_price_has_the_error_of_a_jackknife(found, scenario):
    """Each patient left out in turn: the same error, but for what is not linear in 60 people."""
    part = deciding.part_of(scenario)
    lived = sim.simulate(part, patients=60, seed=1)
    now, untreated = (economics.of_patients(lived, arm, part) for arm in ("now", "untreated"))
    doses = now.parts["doses"]
    row = found.tables["prices"].rows[1]
    gained = row[3] * (now.qalys - untreated.qalys) - (now.costs - doses - untreated.costs)
    out = 1800 * (gained.sum() - gained) / (doses.sum() - doses)
    assert row[5] == pytest.approx(1800 * gained.sum() / doses.sum())
    assert row[6] == pytest.approx(np.sqrt(59 / 60 * ((out - out.mean()) ** 2).sum()), rel=0.05)


def test_parameters_have_grade_and_source_and_what_is_not_drawn_is_counted(found, scenario):
    table = found.tables["parameters"]
    rows = [cells(table, row) for row in table.rows]
    assert all(row["grade"] for row in rows)
    drawn = [row for row in rows if row["prior"] != "not drawn"]
    assert {row["group"] for row in drawn} == {"natural history", "drug", "utilities", "costs"}
    by = {row["address"]: row for row in rows}
    assert by["treatments.tofersen.effect.mean"]["source"].startswith("als-sim calibrate")
    assert by["decision.severity.bands.1.weight"]["grade"] == "assumed"
    assert by["decision.costs.per_month.alive"]["prior"] == "not drawn"
    assert {"costs.per_month.alive", "utilities.states.stage_1"} < set(found.fixed)
    assert "costs.per_dose.tofersen" not in found.fixed
    counts = [one.split() for one in found.fixed if " of " in one]
    assert {words[-1] for words in counts} >= {"disease", "progression", "entry", "decision"}
    assert all(0 < int(words[0]) <= int(words[2]) for words in counts)


def test_catalogs_say_where_a_prior_has_its_spread(scenario):
    for name in ("utilities", "costs_usa", "costs_uk"):
        for one in catalogued(name):
            assert "prior" not in str(one) or "of the prior" in one.note, one


def test_tables_agree_with_each_other(found, scenario):
    base = row_of(found.tables["incremental"], "now")
    half = dict(
        zip([c.name for c in found.tables["scenarios"].columns], found.tables["scenarios"].rows[-1], strict=True)
    )
    paid = row_of(found.tables["costs"], "doses")["now"]
    assert half["extra costs"] == pytest.approx(found.tables["incremental"].rows[-1][5] - paid / 2)
    at = {row[3]: row[5] for row in found.tables["prices"].rows}  # what the threshold allows makes net benefit 0
    wtp = scenario.decision.willingness_to_pay.value
    gain, extra = found.tables["incremental"].rows[-1][8], found.tables["incremental"].rows[-1][5]
    assert extra + paid * (at[wtp] / 1800 - 1) == pytest.approx(wtp * gain)
    severity = cells(found.tables["severity"], found.tables["severity"].rows[-1])
    assert severity["absolute shortfall"] == pytest.approx(18 - severity["QALYs under current care"])
    assert severity["weight"] == (1.7 if severity["proportional shortfall"] >= 0.95 else 1.2)
    assert severity["weighted ICER"] == pytest.approx(base["ICER"] / severity["weight"])
    for row in found.tables["acceptability"].rows:
        assert sum(row[1:3]) == pytest.approx(1)
    for row in found.tables["loss"].rows:
        assert row[-1] == min(row[1:3])


def test_the_budget_is_counted_by_hand(found, scenario):
    """Half of 10 people on the drug in the first year, all of 12 in the second; nothing after the horizon of a year."""
    outcomes = {row[0]: row for row in found.tables["outcomes"].rows}
    cost = {arm: row[11] for arm, row in outcomes.items()}  # undiscounted
    first, second = (cells(found.tables["budget"], row) for row in found.tables["budget"].rows)
    assert first["all on untreated"] == pytest.approx(10 * cost["untreated"])
    assert first["all on untreated ±"] == pytest.approx(10 * outcomes["untreated"][12])
    assert first["budget impact"] == pytest.approx(5 * (cost["now"] - cost["untreated"]))
    assert second["budget impact"] == pytest.approx(12 * (cost["now"] - cost["untreated"]))


def test_draws_hold_priors_correlation_and_what_comes_first(scenario):
    many = draws_of(scenario, 300, 1)
    assert {one.group for one in many.uncertain} == {"natural history", "drug", "utilities", "costs"}
    places = [f"decision.utilities.states.stage_{k}" for k in (0, 4)]
    first, last = (np.array([own[place] for own in many.settings]) for place in places)
    assert np.corrcoef(first, last)[0, 1] == pytest.approx(0.9, abs=0.05)
    price = np.log([own["decision.costs.per_dose.tofersen"] for own in many.settings])
    assert price.mean() == pytest.approx(np.log(1800), abs=4 * 0.3 / np.sqrt(300))
    assert price.std() == pytest.approx(0.3, rel=0.15)
    few = draws_of(scenario, 20, 1)
    assert few.settings == many.settings[:20]
    assert (few.x == many.x[:20]).all()
    plan = plan_of(Request(scenario, draws=20, draw_patients=8))
    assert plan.runs == 40 + 2 * (2 * len(many.uncertain) + 1)
    assert plan.memory_mb > 0
    assert plan.seconds > 0
    assert plan.folder.startswith("results")


def test_a_trial_is_read_from_the_draws(scenario):
    """Difference of its arms and variance come with every draw, as counted from patients."""
    research = {"cost": 1e6, "patients": 10, "trial": TRIAL}
    start = scenario.replace({"decision.research": research, "output.days": [196]})
    request = Request(start, draws=3, replicates=2, draw_patients=8)
    sample = deciding._sample(deciding.part_of(start), request, draws_of(start, 3, 1), None)
    assert sample.trial.shape == (3, 2, 2)
    assert (sample.trial[..., 1] > 0).all()
    one = sim.simulate(start, patients=200, seed=3)
    gap, variance = compared(start.decision.research.trial, one)
    score = one.groups["truth"]["alsfrs_r"].values[:, :, [0, int(np.flatnonzero(one.time == 196)[0])]].astype(float)
    dead = one.groups["events"]["death_time"].values <= 196
    change = np.where(dead, 0, score[..., 1]) - score[..., 0]
    assert gap == pytest.approx((change[1] - change[0]).mean())
    assert variance == pytest.approx(change.var(axis=1, ddof=1).sum())


def test_nothing_uncertain_is_refused(scenario):
    with pytest.raises(SimulatorError, match="has no block decision"):
        sim.decide(scenario.replace({"decision": None}))


def test_the_text_fits_a_terminal(found):
    from simulator.cli.decision_tables import decision_text

    third = dict(found.tables)
    for name in ("outcomes", "incremental"):
        row = [3 * cell if isinstance(cell, float) else cell for cell in third[name].rows[-1]]
        row[0] = "later"
        if name == "incremental":
            row[1:3] = "", "extendedly dominated"
        third[name] = third[name]._replace(rows=[*third[name].rows, row])
    for name in ("acceptability", "loss"):
        rows = [[row[0], *row[1:3], row[2], *row[3:]] for row in third[name].rows]
        third[name] = third[name]._replace(rows=rows)
    wide = decision_text(replace(found, options=(*found.options, "later"), tables=third))
    text = decision_text(found)
    for one in (text, wide):
        assert [line for line in one.splitlines() if len(line) > 80] == []
    assert text.index("A QALY costs") < text.index("life years")
    for words in ("± is the Monte Carlo error", "Share of draws", "At what price", "Budget impact", "Not drawn"):
        assert words in text
