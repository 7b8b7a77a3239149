"""Sensitivity and economics of scenarios: closed forms, the sweep underneath, the terminal, the pictures."""

import json
import re
import sys
from typing import get_args

import numpy as np
import pytest
from scipy.integrate import quad
from typer.testing import CliRunner

import simulator as sim
from simulator import catalog
from simulator.cli.app import app
from simulator.cli.sensitivity_tables import text
from simulator.errors import SimulatorError
from simulator.language.blocks.decision import COMMON
from simulator.language.blocks.sensitivity import ECONOMIC, Outcome
from simulator.measures import economics
from simulator.measures.outcome import OUTCOMES, OutcomeError, OutcomeRequest, outcome, request_of
from simulator.report.kinds import SensitivityKind
from simulator.results.export import occupancy
from simulator.studies.sensitivity import methods, parameters, points
from simulator.studies.sensitivity.document import ROWS, Sensitivity, look_up
from simulator.studies.sensitivity.study import METHODS, Request, needed, question_of
from simulator.units import DAYS_PER_MONTH, DAYS_PER_YEAR
from tests.support.decision import DECISION
from tests.support.figures import check_texts
from tests.support.functions import ISHIGAMI, g_function, g_indices, ishigami

DAY = 728


@pytest.fixture(scope="module")
def constant():
    """Death at a constant hazard, mean 20 months, and a value with a prior that changes nothing."""
    scenario = sim.load("analytic/constant_hazard")
    prior = {"uniform": {"low": 10, "high": 40}}
    inert = {"value": 10, "prior": {"normal": {"mean": 10, "sd": 1}}, "evidence": "assumed"}
    return scenario.replace(
        {
            "progression.survival": {**scenario.content()["progression"]["survival"], "pav_probability": 0},
            "progression.d50_months.other": {"value": 20, "prior": prior, "evidence": "assumed"},
            "progression.neurofilament.background": inert,
            "output.every_days": 7,
            "sensitivity": {
                "outcome": "event_free_months", "arm": "untreated", "day": DAY,
                "parameters": ["progression.d50_months.other", "progression.neurofilament.background"],
            },
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def treated():
    """Two arms, everybody takes every dose."""
    return sim.load("valor").replace(
        {
            "arms": {"untreated": [], "treated": [{"treatments": ["tofersen"], "from_day": 0}]},
            "follow_up_days": DAY, "trial": None, "attrition": None,
            "decision": DECISION, "decision.costs.per_dose": {"tofersen": 0},
            "sensitivity": {"outcome": "event_free_months", "arm": "treated", "against": "untreated", "day": 364},
        }
    )  # fmt: skip


def rmst(mean, day=DAY):
    """Mean of min(T, day) for an exponential T, in months."""
    months = day / DAYS_PER_MONTH
    return mean * (1 - np.exp(-months / mean))


# --- functions through the same path as scenarios


@pytest.mark.parametrize(("function", "known"), [(ishigami, ISHIGAMI), (g_function, g_indices())])
def test_known_functions_through_the_path_of_scenarios(function, known):
    names = [f"x{k}" for k in range(len(known[0]))]
    given = parameters.of_priors({name: {"uniform": {"low": 0, "high": 1}} for name in names})
    model = points.of_function(lambda point, r: float(function(np.array([point[name] for name in names]))))
    found = methods.sobol(given, model, 2048, "independent")
    assert [row.total for row in found.rows] == sorted((row.total for row in found.rows), reverse=True)
    rows = {row.name: row for row in found.rows}
    for k, name in enumerate(names):
        assert rows[name].first == pytest.approx(known[0][k], abs=0.02)
        assert rows[name].total == pytest.approx(known[1][k], abs=0.02)


NUMBERS = [f"visits.noise.{key}" for key in ("alsfrs_r_points", "svc_percent", "hhd", "nfl_log_sd", "sod1_log_sd")]
NUMBERS += ["visits.missing"]  # six numbers that may lie anywhere from 0 to 1


@pytest.mark.parametrize(
    ("function", "known", "size"), [(ishigami, ISHIGAMI, 1024), (g_function, g_indices(), 2048)], ids=["ishigami", "g"]
)
@pytest.mark.slow
def test_known_functions_of_what_a_sweep_was_given(constant, function, known, size):
    """Points go through scenarios, workers and the Dataset: the function is that of the coordinates that come back."""
    names, week = NUMBERS[: len(known[0])], {"every_days": 7, "stages": False}
    short = constant.replace({"follow_up_days": 7, "output": week, "visits.every_days": 7, "sensitivity": None})

    def model(given):
        swept = sim.sweep(short, given, patients=1)
        assert not swept.failures
        return function(np.stack([swept.values(name).astype(float) for name in names], axis=1))[:, None, None]

    priors = parameters.of_priors({name: {"uniform": {"low": 0, "high": 1}} for name in names})
    found = {row.name: row for row in methods.sobol(priors, model, size, "independent").rows}
    assert [found[name].first for name in names] == pytest.approx(known[0], abs=0.02)
    assert [found[name].total for name in names] == pytest.approx(known[1], abs=0.02)


def test_priors_have_their_quantiles():
    given = parameters.of_priors(
        {
            "u": {"uniform": {"low": 2, "high": 4}},
            "n": {"normal": {"mean": 1, "sd": 2, "low": 0}},
            "l": {"lognormal": {"median": 3, "log_sd": 0.5}},
        }
    )
    p = np.array([0.05, 0.5, 0.95])
    z = 1.6448536269514722
    assert given[0].quantile(p) == pytest.approx([2.1, 3, 3.9])
    assert given[1].quantile(p) == pytest.approx([0, 1, 1 + 2 * z])
    assert given[2].quantile(p) == pytest.approx([3 * np.exp(-0.5 * z), 3, 3 * np.exp(0.5 * z)])
    assert [one.belief for one in given] == [
        "uniform, low 2, high 4", "normal, mean 1, sd 2, low 0", "lognormal, median 3, log_sd 0.5"
    ]  # fmt: skip


# --- parameters


def test_parameters_of_valor_are_those_of_the_calibration_and_its_own():
    found = {one.name: one for one in parameters.parameters_of(sim.load("valor"))}
    assert len(found) == 25
    assert found["state_share"].belief == "uniform, low 0, high 1"  # the scenario's own prior, not the calibration's
    assert found["effect"].address == "treatments.tofersen.effect.mean"
    shares = found["valor_ala5val"].at(0.9)
    assert sum(shares.values()) == pytest.approx(1)
    assert len(shares) == 2
    assert found["effect"].is_treatment
    assert (found["effect"].label, found["effect"].unit) == ("effect of the drug on the clock", "")
    assert (found["effect_delay"].unit, found["d50_other"].unit, found["d50_other_spread"].unit) == ("d", "months", "")
    assert all(one.label for one in found.values() if one.name != one.address)
    assert not found["entry_time"].is_treatment


def test_what_the_author_changed_is_not_moved():
    changed = sim.load("valor").replace({"treatments.tofersen.effect.mean": 0.5})
    assert "effect" not in {one.name for one in parameters.parameters_of(changed)}


def test_parameters_by_name_or_address(constant):
    assert len(parameters.parameters_of(constant, ["progression.d50_months.other"])) == 1
    with pytest.raises(parameters.SensitivityError, match="Did you mean effect"):
        parameters.parameters_of(sim.load("valor"), ["efect"])
    with pytest.raises(parameters.SensitivityError, match=r"no value of .* has a prior"):
        parameters.parameters_of(sim.load("generic_als").replace({"progression.survival.state_share": 0.5}))


# --- outcomes


def test_the_names_of_outcomes_are_those_of_the_language():
    assert set(OUTCOMES) == set(get_args(Outcome))
    assert {name for name, row in OUTCOMES.items() if row.read is None} == set(ECONOMIC)


@pytest.mark.parametrize("name", OUTCOMES)
def test_summary_and_full_agree(treated, name):
    asked = OutcomeRequest(name, "treated", "untreated", float(DAY if name in ECONOMIC else 364))
    full, summary = (sim.simulate(treated, patients=400, seed=3, output=kind) for kind in ("full", "summary"))
    a, b = (outcome(result, asked, treated) for result in (full, summary))
    assert b.value == pytest.approx(a.value, rel=2e-3, abs=0.02)
    assert a.paired
    assert b.mcse >= a.mcse * 0.9  # from a summary an upper bound, unless a drug sets apart those who were alike


def test_a_difference_is_that_of_the_two_arms(treated):
    result = sim.simulate(treated, patients=200, seed=3)
    one, other, both = (
        outcome(result, OutcomeRequest("life_months", arm, against, 500.0)).value
        for arm, against in (("treated", ""), ("untreated", ""), ("treated", "untreated"))
    )
    assert both == pytest.approx(one - other)


def test_outcomes_that_are_not_there(treated):
    result = sim.simulate(treated.replace({"safety": None}), patients=20, seed=3)
    for asked, words in (
        (
            OutcomeRequest("months", "treated", "", 364.0),
            "there is no outcome 'months'. Did you mean life_months? Outcomes: alsfrs_r_change_survivors",
        ),
        (OutcomeRequest("survival", "early", "", 364.0), "there is no arm 'early'. Arms: untreated, treated"),
        (OutcomeRequest("survival", "treated", "", 1e4), "after the end of follow-up"),
        (OutcomeRequest("qalys", "treated", "", 364.0), "needs the scenario"),
        (OutcomeRequest("serious_neurologic", "treated", "", 364.0), "the result has no adverse events"),
    ):
        with pytest.raises(OutcomeError, match=re.escape(words)):
            outcome(result, asked)
    with pytest.raises(OutcomeError, match="does not say which outcome"):
        request_of(treated.replace({"sensitivity": None}))
    with pytest.raises(economics.EconomicsError, match="no block decision"):
        economics.economic("qalys", result, "treated", treated.replace({"decision": None}))


@pytest.mark.slow
def test_the_needed_part_gives_the_same_number():
    valor = sim.load("valor")
    asked = request_of(valor)
    part = needed(valor, asked)
    assert tuple(part.arms) == ("untreated", "early_start")
    whole, short = (outcome(sim.simulate(one, patients=300, seed=4), asked) for one in (valor, part))
    assert short.value == whole.value
    assert short.mcse == whole.mcse


# --- economics


@pytest.mark.slow
def test_economics_under_a_constant_hazard(constant):
    """QALYs are .7 years of life; ∫ e^−λt (1 + r)^−t dt; a month alive costs 1,000."""
    scenario = constant.replace(
        {"decision": {**DECISION, "options": ["untreated", "again"]}, "arms": {"untreated": [], "again": []}}
    )
    result = sim.simulate(scenario, patients=20_000, seed=5)
    both, end = DAYS_PER_YEAR / (20 * DAYS_PER_MONTH) + np.log1p(0.05), 3640 / DAYS_PER_YEAR
    years = (1 - np.exp(-both * end)) / both
    life, quality, costs, net = economics.economic_all(result, "untreated", scenario)
    assert life.value == pytest.approx(years, abs=4 * life.mcse)
    assert quality.value == pytest.approx(0.7 * life.value)
    assert costs.value == pytest.approx(12_000 * life.value)
    assert net.value == pytest.approx(100_000 * quality.value - costs.value)
    short = scenario.replace({"decision.day": 364})
    one = economics.economic("life_years", result, "untreated", short)
    assert one.value == pytest.approx((1 - np.exp(-both * 364 / DAYS_PER_YEAR)) / both, abs=4 * one.mcse)


@pytest.mark.slow
@pytest.mark.parametrize("output", ["full", "summary"])
@pytest.mark.parametrize("end", [1003, 1010])
def test_years_doses_and_months_add_up_to_follow_up(constant, output, end):
    """Mean life 20 months, doses every 28 days that do nothing: closed forms until a last day between two of output."""
    drug = {"catalog": "tofersen", "effect": {"mean": 0, "sd": 0, "low": -1, "high": 1}}
    scenario = constant.replace(
        {
            "treatments": {"tofersen": drug, "addon": {"kind": "hazard_multiplier", "value": 1}},
            "arms": {"untreated": [], "treated": [{"treatments": ["tofersen", "addon"], "from_day": 0}]},
            "follow_up_days": end, "output.every_days": 28, "visits.every_days": 28, "sensitivity": None,
            "decision": {**DECISION, "costs": {
                "per_dose": {"tofersen": 100}, "per_month": {"alive": 1000}, "per_month_on": {"addon": 10}}},
        }
    )  # fmt: skip
    result = sim.simulate(scenario, patients=20_000, seed=5, output=output)
    hazard, rate = DAYS_PER_YEAR / (20 * DAYS_PER_MONTH), np.log1p(0.05)
    years = (1 - np.exp(-(hazard + rate) * end / DAYS_PER_YEAR)) / (hazard + rate)
    days = np.array([0, 14, *range(28, end, 28)])
    doses = np.exp(-(hazard + rate) * days / DAYS_PER_YEAR).sum()
    life, _, costs, _ = economics.economic_all(result, "treated", scenario)
    assert life.value == pytest.approx(years, abs=4 * life.mcse + 1e-3)
    assert costs.value == pytest.approx(12_120 * years + 100 * doses, abs=4 * costs.mcse + 12)
    lived = (1 - np.exp(-hazard * end / DAYS_PER_YEAR)) / hazard
    cells = [cell for cell in occupancy(result) if cell.arm == "treated" and cell.system == "event"]
    assert sum(cell.years for cell in cells) == pytest.approx(end / DAYS_PER_YEAR)
    alive = sum(cell.years for cell in cells if cell.state != "dead")
    assert alive == pytest.approx(lived, abs=4 * life.mcse + 1e-3)


@pytest.mark.parametrize(("system", "entry"), [("ft9", "costs_usa"), ("kings", "costs_uk")])
def test_qalys_and_costs_go_by_stage(treated, system, entry):
    """Without discounting: years in each stage, straight lines between days of output, times what the catalog says."""
    found = catalog.entry("utility", "utilities")[system], catalog.entry("cost", entry)["per_month"][system]
    basis = {key: found[1]["stage_4"][key] for key in COMMON}
    block = {**DECISION, **basis, "discount_per_year": 0, "utilities": {"catalog": "utilities", "system": system}}
    decision = block | {"costs": {"catalog": entry, "per_dose": {"tofersen": 0}}}
    scenario = treated.replace({"decision": decision})
    for output in ("full", "summary"):
        result = sim.simulate(scenario, patients=300, seed=8, output=output)
        share = result.groups["summary"][f"{system}_stage_share"].values[1]
        labels = result.groups["summary"][system].values.tolist()[:-1]
        years = np.trapezoid(share, result.time, axis=0)[:-1] / DAYS_PER_YEAR
        names = [f"stage_{label.rstrip('AB') if label[0].isdigit() else label}" for label in labels]
        alive = found[1].get("alive", {"value": 0})["value"]
        month = [alive + found[1].get(name, {"value": 0})["value"] for name in names]
        life, quality, costs, _ = (one.value for one in economics.economic_all(result, "treated", scenario))
        near = 1e-6 if output == "summary" else 2e-3  # with patients, to the day of death
        assert life == pytest.approx(years.sum(), rel=near)
        assert quality == pytest.approx(years @ [found[0][name]["value"] for name in names], rel=near)
        assert costs == pytest.approx(12 * years @ month, rel=near)
        assert len({float(y) for y in years if y > 0.02}) > 3  # people went through the stages


def test_doses_are_paid_by_those_who_live(treated):
    """With nobody dying early every dose until the horizon is paid, at what it is worth now."""
    prices = {"decision.costs": {"per_dose": {"tofersen": 100}}, "decision.day": 100}
    scenario = treated.replace(prices)
    result = sim.simulate(scenario, patients=50, seed=6)
    days = np.array([0, 14, 28, 56, 84])
    alive = np.array([(~(result.groups["events"]["death_time"].values[1] < day)).mean() for day in days])
    expected = 100 * (alive * 1.05 ** (-days / DAYS_PER_YEAR)).sum()
    assert economics.economic("costs", result, "treated", scenario).value == pytest.approx(expected)
    assert economics.economic("costs", result, "untreated", scenario).value == 0


def test_doses_of_a_summary_are_counted_only_where_all_have_them(treated):
    stops = treated.replace(
        {"attrition": {"dropout_per_year": [{"rate": 0.1}]}, "decision.costs": {"per_dose": {"tofersen": 1}}}
    )
    result = sim.simulate(stops, patients=20, seed=6, output="summary")
    with pytest.raises(economics.EconomicsError, match="a summary does not count them"):
        economics.economic("costs", result, "treated", stops)


def test_the_stages_of_every_system_have_a_utility(treated):
    for system, states in (("kings", ["stage_none", *(f"stage_{k}" for k in range(1, 5))]), ("mitos", None)):
        names = states or [f"stage_{k}" for k in range(5)]
        given = {"system": system, "states": {name: 0.1 * k for k, name in enumerate(names)}}
        decision = treated.replace({"decision.utilities": given}).decision
        utility = economics.by_state(decision)
        wanted = [0, 0.1, 0.2, 0.3, 0.4, 0.4, 0] if system == "kings" else [0, 0.1, 0.2, 0.3, 0.4, 0]
        assert utility == pytest.approx(wanted)


# --- studies of a scenario with closed forms


def test_one_way_has_the_closed_form(constant):
    found = sim.sensitivity(constant, "oneway", patients=2000, replicates=4)
    row = found.row("progression.d50_months.other")
    assert found.rows[0] == row
    assert (row.low, row.high) == pytest.approx((11.5, 38.5))
    assert found.figures["base"] == pytest.approx(rmst(20), abs=4 * found.figures["base_mcse"] + 0.02)
    assert row.swing == pytest.approx(rmst(38.5) - rmst(11.5), abs=5 * row.mcse + 0.02)
    assert row.swing == pytest.approx(row.at_high - row.at_low)
    assert found.row("progression.neurofilament.background").swing == 0


def spread(mean):
    """Variance of min(T, day) of one patient, in months²."""
    months = DAY / DAYS_PER_MONTH
    second = quad(lambda t: 2 * t * np.exp(-t / mean), 0, months)[0]
    return second - rmst(mean) ** 2


@pytest.mark.slow
def test_sobol_of_a_stochastic_scenario_is_free_of_its_noise(constant):
    """With 10 patients a run the noise is known: mean over the prior of var(min(T, h))/10, beside var(E[min(T, h)])."""
    patients = 10
    mean = quad(lambda d: rmst(d) / 30, 10, 40)[0]
    signal = quad(lambda d: (rmst(d) - mean) ** 2 / 30, 10, 40)[0]
    noise = quad(lambda d: spread(d) / patients / 30, 10, 40)[0]
    found = sim.sensitivity(constant, "sobol", patients=patients, replicates=3, points=512)
    row, other = (found.row(f"progression.{name}") for name in ("d50_months.other", "neurofilament.background"))
    assert found.points == 2048
    assert found.random_numbers == "independent"
    assert found.figures["noise_share"] == pytest.approx(noise / (signal + noise), abs=0.07)  # its error is about .02
    assert found.figures["sd"] == pytest.approx(np.sqrt(signal), rel=0.15)
    for estimate, low, high, known in (
        (row.first, row.first_lower, row.first_upper, 1), (row.total, row.total_lower, row.total_upper, 1),
        (other.total, other.total_lower, other.total_upper, 0), (other.first, other.first_lower, other.first_upper, 0),
    ):  # fmt: skip
        assert estimate == pytest.approx(known, abs=0.17)
        assert low - 0.02 <= known <= high + 0.02
    assert noise / (signal + noise) > 0.5  # without the noise term, total order of what changes nothing is near this


def test_the_same_call_goes_on_where_it_was(constant, tmp_path):
    calls: list[tuple[int, int]] = []
    first = sim.sensitivity(constant, "oneway", patients=20, folder=tmp_path, progress=lambda *at: calls.append(at))
    assert calls
    calls.clear()
    again = sim.sensitivity(constant, "oneway", patients=20, folder=tmp_path, progress=lambda *at: calls.append(at))
    assert not calls
    assert again == first == sim.open(tmp_path)


def test_morris_finds_the_value_that_matters(constant):
    found = sim.sensitivity(constant, "morris", patients=50, points=6)
    assert found.rows[0].name == "progression.d50_months.other"
    assert found.rows[0].mean > 0
    assert found.rows[1].mean_abs == 0


def test_a_failed_point_is_named(constant):
    rare = constant.replace({"entry.eligible": {"alsfrs_r": {"max": 1}}})
    with pytest.raises(points.FailedPointsError, match=r"point\(s\) failed; the first is 0"):
        sim.sensitivity(rare, "oneway", patients=2, replicates=1)


@pytest.mark.slow
def test_over_the_ensemble_and_the_value_of_information(treated, tmp_path):
    shares = sim.sensitivity(treated, "ensemble", patients=100, points=100)
    assert {row.name for row in shares.rows} == {one.name for one in parameters.parameters_of(treated)}
    assert max(shares.rows, key=lambda row: row.alone).name == "effect"
    worth = sim.sensitivity(treated, "evpi", patients=20, points=100, folder=tmp_path)
    assert [one.name for one in worth.options] == ["untreated", "treated"]
    for one in worth.options:
        assert one.net_benefit == pytest.approx(100_000 * one.qalys - one.costs)
    assert worth.figures["evpi"] >= max(0, worth.figures["evpi_lower"])
    assert sum(one.best for one in worth.options) == pytest.approx(1)
    assert {"all natural_history", "all drug", "effect"} <= {row.name for row in worth.rows}
    calls: list[tuple[int, int]] = []
    dearer = treated.replace({"decision.costs.per_dose": {"tofersen": 1e6}})  # the same lives, another decision
    kept = {"folder": tmp_path, "progress": lambda *at: calls.append(at)}
    other = sim.sensitivity(dearer, "evpi", patients=20, points=100, **kept)
    assert not calls
    assert [one.qalys for one in other.options] == [one.qalys for one in worth.options]
    assert other.figures["best"] == 0
    assert other.figures["evpi"] == 0


@pytest.mark.slow
def test_a_study_is_worth_at_most_what_it_reveals_to_all_whom_it_concerns(treated, tmp_path):
    research = {"cost": 1000, "patients": 50, "about": ["effect"]}
    asked = treated.replace({"decision.research": research, "decision.costs.per_dose.tofersen": 300})
    how = {"patients": 20, "points": 100, "folder": tmp_path}
    found = sim.sensitivity(asked, "evpi", **how)
    row, figures = found.row("effect"), found.figures
    assert figures["research_worth"] == pytest.approx(50 * row.evppi)
    assert figures["research_floor"] == pytest.approx(50 * row.floor)
    assert "it costs 1,000: it may be worth running" in " ".join(text(found).split())
    dear = asked.replace({"decision.research.cost": 1e12})
    assert "it is not worth running" in text(sim.sensitivity(dear, "evpi", **how)).replace("\n", " ")
    drug = sim.sensitivity(asked.replace({"decision.research.about": None}), "evpi", **how)
    assert drug.figures["research_worth"] == pytest.approx(50 * drug.row("all drug").evppi)
    assert sim.open(tmp_path) == drug
    with pytest.raises(SimulatorError, match=r"about efect, which is not drawn\. Did you mean effect"):
        sim.sensitivity(asked.replace({"decision.research.about": ["efect"]}), "evpi", patients=20, points=100)


@pytest.mark.slow
def test_costs_with_a_prior_count_for_economic_outcomes(treated):
    price = {"value": 1000, "prior": {"uniform": {"low": 500, "high": 1500}}, "evidence": "assumed"}
    block = {"outcome": "net_benefit", "arm": "treated", "against": "untreated"}
    asked = treated.replace({"decision.costs.per_month.alive": price, "sensitivity": block})
    name = "decision.costs.per_month.alive"
    assert name in {one.name for one in parameters.parameters_of(asked)}
    found = sim.sensitivity(asked.replace({"sensitivity.parameters": [name]}), "oneway", patients=50)
    row = found.row(name)
    assert row.swing < 0  # those who live longer cost longer
    assert found.points == 3
    one = asked.replace({"sensitivity.parameters": [name]})
    missed = one.replace(
        {"adherence": {"missed": 0, "delay_days_max": 1}, "attrition": {"dropout_per_year": [{"rate": 0.1}]},
         "attrition.drug_after_dropout": "stop", "decision.costs.per_dose": {"tofersen": 1e-9}}
    )  # fmt: skip
    assert not economics.is_summary_enough(missed)
    counted = sim.sensitivity(missed, "oneway", patients=50).row(name)  # with patients, doses one by one
    runs = [sim.simulate(missed, patients=50, seed=seed) for seed in range(1, 5)]
    asked_years = OutcomeRequest("life_years", "treated", "untreated", DAY)
    gained = np.mean([outcome(run, asked_years, missed).value for run in runs])
    assert counted.swing == pytest.approx(-12 * 900 * gained)
    assert found.unit == "USD"
    assert question_of(Request(asked)).day == DAY
    assert name not in {one.name for one in parameters.parameters_of(treated)}


# --- the terminal


def call(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture(scope="module")
def file(constant, tmp_path_factory):
    """The scenario as a file."""
    place = tmp_path_factory.mktemp("sensitivity") / "constant.yaml"
    place.write_text(constant.resolved_yaml(), encoding="utf-8")
    return place


@pytest.mark.slow
def test_the_command_writes_a_folder_that_it_reads_again(file, tmp_path):
    folder = tmp_path / "found"
    done = call("sensitivity", file, "-n", 30, "-o", folder)
    assert done.exit_code == 0, done.output
    assert {"sensitivity.json", "sensitivity.csv", "tornado.svg", "sweep", "manifest.json"} <= {
        one.name for one in folder.iterdir()
    }
    assert max(map(len, done.stdout.splitlines())) <= 80
    again = call("sensitivity", folder)
    assert again.stdout == done.stdout
    data = json.loads(call("sensitivity", folder, "--json").stdout)
    assert data["method"] == "oneway"
    assert data["rows"][0]["name"] == "progression.d50_months.other"
    assert call("plot", folder, "tornado", "-o", tmp_path / "a.png").exit_code == 0
    wrong = call("plot", folder, "sobol")
    assert wrong.exit_code == 2
    assert "run it with --method sobol" in wrong.output
    assert call("plot", folder, "tornado", "--patient", 3).exit_code == 2
    assert call("show", folder).stdout == done.stdout
    assert call("report", folder).exit_code == 0
    assert "sensitivity" in (folder / "report.html").read_text()
    refused = call("plot", folder, "survival")
    assert refused.exit_code == 2
    assert "a sensitivity analysis has no picture 'survival'. Pictures: tornado, sobol" in refused.output


@pytest.mark.slow
def test_a_dry_run_foretells_the_points_that_are_simulated(file, tmp_path):
    folder, amounts = tmp_path / "found", ("-n", 5, "--points", 4, "--replicates", 2)
    for method, count in (("oneway", 5), ("sobol", 16)):
        asked = ("sensitivity", file, "--method", method, *amounts, "-o", folder / method)
        told = json.loads(call(*asked, "--dry-run", "--json").stdout)
        assert (told["points"], told["finished"], told["replicates"], told["patients"]) == (count, 0, 2, 5)
        assert told["seconds"] > 0
        assert not (folder / method).exists()
        assert call(*asked).exit_code == 0
        assert len(list((folder / method / "sweep" / "points").iterdir())) == count
        after = call(*asked, "--dry-run").stdout
        assert f"{count} finished" in after
        assert "nothing left to do" in after


@pytest.mark.slow
def test_the_folder_of_a_sweep_is_analysed(treated, tmp_path):
    rng = np.random.default_rng(1)
    given = [
        {"treatments.tofersen.effect.mean": x, "entry.referral_months": y} for x, y in rng.uniform(0.2, 12, (30, 2))
    ]
    given = [one | {"treatments.tofersen.effect.mean": one["treatments.tofersen.effect.mean"] / 12} for one in given]
    sim.sweep(treated, given, patients=60, replicates=2, folder=tmp_path)
    found = look_up(str(tmp_path))
    assert found is not None
    assert found.rows[0].name == "treatments.tofersen.effect.mean"
    assert found.rows[0].alone > 0.5
    assert look_up("valor") is None


def test_errors_of_the_command(file, tmp_path, monkeypatch):
    plain = tmp_path / "plain.yaml"
    plain.write_text(sim.load("natural_history").resolved_yaml(), encoding="utf-8")
    none = call("sensitivity", plain)
    assert none.exit_code == 2
    assert "does not say which outcome to explain" in none.output
    assert call("sensitivity", file, "--method", "evpi").exit_code == 2
    assert call("sensitivity", file, "--method", "fast").exit_code == 2
    monkeypatch.setitem(sys.modules, "SALib.sample.morris", None)
    missing = call("sensitivity", file, "--method", "morris", "-n", 5, "-o", tmp_path / "morris")
    assert missing.exit_code == 3
    assert "pip install 'als-simulator[all]'" in missing.output


# --- tables and pictures of invented documents


def invented(method, count=25, name="progression.function.steepness.lognormal.median"):
    """An analysis with long names and large numbers."""
    row, scale, texts = ROWS[method], 0.05 if method == "sobol" else 1.0, {"address": name, "prior": "a prior"}
    texts |= {"label": "", "unit": "% predicted"}
    rows = [
        row(**{key: texts.get(key, scale * (12.345 - k / 2)) for key in row._fields} | {"name": f"{name}{k}"})
        for k in range(count)
    ]  # fmt: skip
    keys = (
        "base", "base_mcse", "mean", "sd", "noise_sd", "noise_share", "explained", "p5", "p50", "p95",
        "evpi", "evpi_se", "evpi_lower",
    )  # fmt: skip
    figures = {**dict.fromkeys(keys, 0.25), "best": 0.0}
    option = sim.studies.sensitivity.over_draws.Option("delayed_start_by_a_long_time", 1.5, 1.2, 1e6, -2e5, 1e4, 0.5)
    label = "Event-free time until day 1096, early_start against untreated"
    return Sensitivity(
        method, "A title", "name", "0" * 64, "0", "event_free_months", "a", "b", 1096.0, label, "months", 2, 10_000, 2,
        "common", 1, 500, figures, rows, [option, option],
    )  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_tables_fit_the_terminal(method):
    lines = text(invented(method)).splitlines()
    assert len(lines) > 10
    assert max(map(len, lines)) <= 80


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 8, 25])
@pytest.mark.parametrize(("method", "kind"), [("oneway", "tornado"), ("sobol", "sobol")])
def test_texts_of_pictures_do_not_overlap(method, kind, count):
    found = invented(method, count)
    assert found.plot.kinds == (SensitivityKind(kind),)
    check_texts(found.plot.draw(kind).figure)
    assert found.plot.draw(kind).svg() == invented(method, count).plot.draw(kind).svg()


def test_a_person_has_no_points():
    with pytest.raises(parameters.SensitivityError, match="Remove person"):
        sim.sensitivity(sim.load("case_a").replace({"sensitivity": {"outcome": "survival", "arm": "untreated"}}))


def test_a_method_that_is_not_there(constant):
    with pytest.raises(parameters.SensitivityError, match="Methods: oneway, sobol"):
        sim.sensitivity(constant, "fast")
