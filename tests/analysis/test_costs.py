"""Costs of every kind under a decision: closed forms, an independent count from exported patients, and laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator as sim
from simulator.analysis import health_economics
from simulator.errors import SimulatorError
from simulator.language import parse
from simulator.measures import costs, economics
from simulator.units import DAYS_PER_YEAR

DAY, N = 1092, 300
STATES = {f"stage_{k}": 0.9 - 0.2 * k for k in range(5)}
PRICES = {
    "per_dose": {"tofersen": 14230}, "per_administration": {"tofersen": 800},
    "per_month": {"alive": 2000, "stage_4": 6000}, "per_month_on": {"riluzole": 50, "niv": 300, "tofersen": 10},
    "at_start": {"riluzole": 120, "tofersen": 900, "tube": 0, "niv": 1500}, "at_stop": {"riluzole": 75, "tofersen": 60},
    "per_event": {"death": 4000, "pav": 30000, "gastrostomy": 2500, "myelitis": 12000},
    "once": {"treated": 333},
}  # fmt: skip


@pytest.fixture(scope="module")
def scenario():
    """Two options; one has a drug that may stop, riluzole for a time, ventilation and a feeding tube."""
    catalogued = {"tofersen": "tofersen", "riluzole": "riluzole", "niv": "non_invasive_ventilation"}
    catalogued["tube"] = "gastrostomy"
    treated = [
        {"treatments": ["tofersen"], "from_day": 0, "to_day": 91},
        {"treatments": ["tofersen", "niv", "tube", "riluzole"], "from_day": 91, "to_day": 637},
        {"treatments": ["tofersen"], "from_day": 637},
    ]
    safety = {"catalog": "tofersen_safety"}
    return sim.load("worth_treating").replace(
        {
            "treatments": {name: {"catalog": of} for name, of in catalogued.items()},
            "arms": {"untreated": [], "treated": treated}, "safety": safety, "follow_up_days": DAY,
            "visits.scoring": "items", "visits.every_days": 91, "sensitivity": None,
            "attrition": {"dropout_per_year": [{"rate": 0.1}], "stop_treatment_per_year": 0.1},
            "decision.options": ["untreated", "treated"], "decision.utilities": {"system": "ft9", "states": STATES},
            "decision.costs": PRICES, "decision.research": None,
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def result(scenario):
    return sim.simulate(scenario, patients=N, seed=4)


def counted(result, scenario, arm):
    """What each part costs on average, patient by patient in plain Python."""
    rate, table = 0.03, {name: {k: v.values for k, v in result.groups[name].items()} for name in ("doses", "events")}
    adverse = {k: v.values for k, v in result.groups["adverse_events"].items()}
    kinds = str(result.groups["adverse_events"]["kind"].attrs["flag_meanings"]).split()
    a, found = (
        result.arm_index(arm),
        dict.fromkeys(("doses", "administration", "months", "starts", "stops", "events"), 0.0),
    )

    def worth(day):
        return (1 + rate) ** (-day / DAYS_PER_YEAR)

    def years(start, end):
        return (worth(start) - worth(end)) / np.log(1 + rate) if end > start else 0.0

    for i in range(N):
        death = table["events"]["death_time"][a, i]
        last = min(DAY, death if np.isfinite(death) else np.inf)
        mine = (table["doses"]["arm"] == a) & (table["doses"]["patient"] == i)
        days = table["doses"]["day"][mine].astype(float)
        found["doses"] += sum(14230 * worth(day) for day in days if day < DAY)
        found["administration"] += sum(800 * worth(day) for day in days if day < DAY)
        courses = {}
        if len(days):
            courses["tofersen"] = days.min(), days.max() + 28
        if arm == "treated":
            courses["riluzole"] = 91, 637
        niv = table["events"]["niv_time"][a, i]
        if np.isfinite(niv):
            courses["niv"] = niv, np.inf
        for name, (start, end) in courses.items():
            found["months"] += PRICES["per_month_on"][name] * 12 * years(start, min(end, last))
            found["starts"] += PRICES["at_start"][name] * worth(start) * (start < last)
            found["stops"] += PRICES["at_stop"].get(name, 0) * worth(min(end, 1e6)) * (end < last)
        found["events"] += 4000 * worth(death) if death < DAY else 0
        if table["events"]["event"][a, i] == 2:
            found["events"] += 30000 * worth(table["events"]["event_free_time"][a, i])
        tube = table["events"]["gastrostomy_time"][a, i]
        found["events"] += 2500 * worth(tube) if tube < DAY else 0
        here = (adverse["arm"] == a) & (adverse["patient"] == i) & (adverse["kind"] == kinds.index("myelitis"))
        found["events"] += sum(12000 * worth(day) for day in adverse["day"][here].astype(float))
    return {name: total / N for name, total in found.items()}


@pytest.mark.parametrize("arm", ["untreated", "treated"])
def test_every_part_is_that_of_an_independent_count(result, scenario, arm):
    known, found = counted(result, scenario, arm), economics.cost_parts(result, arm, scenario)
    for mine, theirs in (
        ("doses", "doses"), ("administration", "administration"), ("months on treatments", "months"),
        ("starts", "starts"), ("stops", "stops"), ("events", "events"),
    ):  # fmt: skip
        assert found[mine].value == pytest.approx(known[theirs], rel=1e-6, abs=1e-9), mine
        assert (known[theirs] > 0) == (arm == "treated" or theirs == "events")
    assert found["once"].value == (333 if arm == "treated" else 0)
    total = economics.economic("costs", result, arm, scenario).value
    assert sum(one.value for one in found.values()) == pytest.approx(total)


def test_the_care_of_a_month_is_in_the_parts(result, scenario):
    care = scenario.replace({"decision.costs": {**PRICES, "per_month": {"alive": 1000}}})
    life = economics.economic("life_years", result, "treated", care).value
    assert economics.cost_parts(result, "treated", care)["months in stages"].value == pytest.approx(12000 * life)


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_doubling_a_price_doubles_its_part_and_nothing_else(result, scenario, data):
    key = data.draw(st.sampled_from(sorted(PRICES)))
    part = {
        "per_dose": "doses", "per_administration": "administration", "per_month": "months in stages",
        "per_month_on": "months on treatments", "at_start": "starts", "at_stop": "stops", "per_event": "events",
        "once": "once",
    }[key]  # fmt: skip
    dearer = scenario.replace({f"decision.costs.{key}": {name: 2 * price for name, price in PRICES[key].items()}})
    before, after = (economics.cost_parts(result, "treated", one) for one in (scenario, dearer))
    for name in before:
        assert after[name].value == pytest.approx((2 if name == part else 1) * before[name].value)


def test_an_arm_against_itself_costs_exactly_nothing(scenario):
    twice = scenario.replace(
        {"arms.again": scenario.content()["arms"]["treated"], "decision.options": ["treated", "again"],
         "decision.costs.once": {"treated": 5, "again": 5}}
    )  # fmt: skip
    result = sim.simulate(twice, patients=60, seed=4)
    one, other = (economics.of_patients(result, arm, twice) for arm in ("treated", "again"))
    for name, values in one.parts.items():
        assert (values == other.parts[name]).all()


@settings(max_examples=8, deadline=None)
@given(cut=st.integers(92, 636))
def test_splitting_an_epoch_of_a_multiplier_changes_no_cost(result, scenario, cut):
    treated = scenario.content()["arms"]["treated"]
    parts = [{**treated[1], "to_day": cut}, {"treatments": ["tofersen", "riluzole"], "from_day": cut, "to_day": 637}]
    split = scenario.replace({"arms.treated": [treated[0], *parts, treated[2]]})
    one, other = (economics.of_patients(result, "treated", sc).parts for sc in (scenario, split))
    assert all((values == other[name]).all() for name, values in one.items())


def test_a_summary_counts_what_all_who_live_have():
    """Riluzole and every dose: the same from sums as from patients, but for straight lines between days."""
    plain = sim.load("worth_treating").replace(
        {
            "treatments.riluzole": {"catalog": "riluzole"}, "follow_up_days": DAY, "sensitivity": None,
            "arms": {"untreated": [], "now": [{"treatments": ["tofersen", "riluzole"], "from_day": 0}]},
            "decision.options": ["untreated", "now"], "decision.research": None,
            "decision.costs": {key: PRICES[key] for key in ("per_dose", "per_administration", "per_month")} | {
                "per_month_on": {"riluzole": 50}, "once": {"now": 10}},
        }
    )  # fmt: skip
    assert economics.is_summary_enough(plain)
    full, short = (sim.simulate(plain, patients=200, seed=3, output=output) for output in ("full", "summary"))
    known = economics.cost_parts(full, "now", plain)
    found = economics.of_summary(short, "now", plain)
    for name, values in found.parts.items():
        assert values[0] == pytest.approx(known[name].value, rel=3e-3), name
    assert found.errors[2] >= 0.9 * economics.economic("costs", full, "now", plain).mcse
    dear = plain.replace({"decision.costs.per_event": {"death": 1}})
    assert not economics.is_summary_enough(dear)
    with pytest.raises(economics.EconomicsError, match="events, starts and stops are priced"):
        economics.of_summary(short, "now", dear)


@given(rate=st.floats(0, 0.2), start=st.floats(0, 3000), length=st.floats(-100, 3000))
def test_discounted_years_are_an_integral(rate, start, length):
    day = np.linspace(start, start + max(length, 0), 4001)
    known = np.trapezoid(health_economics.discounted(day, rate), day) / DAYS_PER_YEAR
    assert health_economics.discounted_years(start, start + length, rate) == pytest.approx(known, rel=1e-6, abs=1e-9)


def test_what_has_no_price_is_refused_or_named(scenario):
    without = {key: {name: price for name, price in of.items() if name != "niv"} for key, of in PRICES.items()}
    with pytest.raises(
        SimulatorError, match=r"niv has no price\. Write costs\.per_month_on\.niv or costs\.at_start\.niv"
    ):
        scenario.replace({"decision.costs": without})
    for key, name, words in (
        ("per_event", "fall", "there is no event fall"), ("once", "later", "there is no option later"),
        ("per_month_on", "rilu", "there is no treatment rilu. Did you mean riluzole"),
        ("per_administration", "riluzole", "there are no doses of riluzole"),
    ):  # fmt: skip
        with pytest.raises(SimulatorError, match=words):
            scenario.replace({"decision.costs": {**PRICES, key: {**PRICES[key], name: 1}}})
    named = costs.unpriced(scenario)
    assert {"monitoring of tofersen", "monitoring of riluzole"} <= set(named)
    assert not {"death", "pav", "myelitis", "giving a dose of tofersen"} & set(named)
    assert {"death", "pav", "giving a dose of tofersen"} <= set(costs.unpriced(sim.load("worth_treating")))
    for per_month, words in (({}, {"months of care"}), ({"alive": 1}, set()),
                             ({"stage_4": 1, "pav": 9}, {f"a month in stage_{k}" for k in range(4)})):  # fmt: skip
        bare = scenario.replace({"decision.costs": {**PRICES, "per_month": per_month}})
        assert {one for one in costs.unpriced(bare) if "month" in one} == words | {
            "months on tube", *(["months after PAV"] if "pav" not in per_month else [])
        }  # fmt: skip
    begin = {f"start of {name}" for name in ("riluzole", "tofersen", "niv", "tube")}
    assert not begin & set(named)
    assert {f"stop of {name}" for name in ("niv", "tube")} <= set(named)
    assert not {"stop of riluzole", "stop of tofersen", "diagnosis"} & set(named)  # all are diagnosed before they enter
    free = costs.unpriced(scenario.replace({"decision.costs": {**PRICES, "at_start": {}, "per_month_on": {
        "riluzole": 0, "niv": 0, "tube": 0}}}))  # fmt: skip
    assert begin < set(free)
    assert not {one for one in free if one.startswith("months on")}


def test_the_incremental_table_pairs_the_patients(result, scenario):
    """Differences of the same people: the error is that of the difference, and a summary is refused."""
    first, second = economics.incremental_table(result, scenario)
    by_arm = {row.option: row for row in (first, second)}
    treated = by_arm["treated"]
    one, other = (economics.of_patients(result, arm, scenario) for arm in ("treated", "untreated"))
    apart = one.costs - other.costs
    wtp = scenario.decision.willingness_to_pay.value
    assert treated.versus == "untreated"
    assert treated.extra_cost.value == pytest.approx(apart.mean())
    assert treated.extra_cost.mcse == pytest.approx(apart.std(ddof=1) / np.sqrt(N))
    assert treated.icer == pytest.approx(apart.mean() / (one.qalys - other.qalys).mean())
    _, quality, cost, net = economics.economic_all(result, "treated", scenario)
    assert (treated.cost.value, treated.effect.value) == pytest.approx((cost.value, quality.value))
    assert treated.net_benefit[:2] == pytest.approx((net.value, net.mcse))
    assert treated.extra_net_benefit.value == pytest.approx(wtp * treated.extra_effect.value - treated.extra_cost.value)
    with pytest.raises(economics.EconomicsError, match="a summary has none"):
        economics.incremental_table(sim.simulate(scenario, patients=10, output="summary"), scenario)


def test_an_amount_of_another_currency_counts_by_its_index(result, scenario):
    """With an index of 1.25 an amount is itself times it, everywhere; without one it is refused (tests/cases)."""
    other = {"value": 14230 / 1.25, "currency": "EUR", "price_year": 2020, "index": 1.25, "evidence": "assumed"}
    changed = scenario.replace({"decision.costs.per_dose": {"tofersen": other}, "decision.willingness_to_pay": {
        "value": 100_000, "currency": "EUR", "index": 1.5, "evidence": "assumed"}})  # fmt: skip
    assert changed.decision.willingness_to_pay.amount == 150_000
    one, same = (economics.cost_parts(result, "treated", sc)["doses"].value for sc in (changed, scenario))
    assert one == pytest.approx(same)
    assert parse(changed.resolved_yaml().encode(), "again.yaml").decision == changed.decision


@pytest.mark.slow
def test_diagnosis_costs_on_its_day():
    """In people who enter before onset each diagnosis from day 0 to the horizon is paid, at its worth."""
    own = sim.load("worth_treating").content()["decision"]
    start = sim.load("prevention")
    arms = list(start.arms)[:2]
    drugs = {name for arm in arms for epoch in start.arms[arm] for name in epoch.treatments}
    prices = {"per_dose": dict.fromkeys(drugs, 0), "per_event": {"diagnosis": 1000}}
    block = {**own, "options": arms, "costs": prices, "research": None, "discount_per_year": 0.03}
    early = start.replace({"decision": block, "sensitivity": None, "trial": None})
    lived = sim.simulate(early, patients=200, seed=2)
    day = lived.groups["events"]["diagnosis_time"].values[0]
    paid = np.where((day >= 0) & (day < early.follow_up_days), 1000 * 1.03 ** (-day / DAYS_PER_YEAR), 0.0)
    assert "diagnosis" not in costs.unpriced(early)
    assert "diagnosis" in costs.unpriced(early.replace({"decision.costs.per_event": {}}))
    found = economics.of_patients(lived, arms[0], early).parts["events"]
    assert (paid > 0).any()
    assert found == pytest.approx(np.nan_to_num(paid))


def test_what_stopping_saves_is_counted_by_hand(scenario):
    """Those who stop would have had a dose every 28 days from 28 days after their last, and its monitoring."""
    leaving = {"dropout_per_year": [{"rate": 0}], "stop_treatment_per_year": 0.8}
    stops = scenario.replace(
        {"attrition": leaving, "decision.discount_per_year": 0, "decision.costs": {
            "per_dose": {"tofersen": 100}, "per_administration": {"tofersen": 10},
            "per_month_on": {"riluzole": 0, "niv": 0, "tube": 0},
            "monitoring": {"tofersen": {"price": 1, "every_days": 91}}}}
    )  # fmt: skip
    lived = sim.simulate(stops, patients=80, seed=3)
    arm = costs.Arm(lived, stops, "treated", float(stops.decision.day or stops.follow_up_days))
    saved, stopped = costs.saved_by_stopping(arm, "tofersen")
    doses, a = lived.groups["doses"], lived.arm_index("treated")
    assert 0.2 < stopped.mean() < 1
    for i in range(80):
        day = doses["day"].values[(doses["arm"].values == a) & (doses["patient"].values == i)].max() + 28.0
        end = arm.last[i]
        assert stopped[i] == (day < end)
        assert saved[i] == pytest.approx(110 * len(np.arange(day, end, 28)) + len(np.arange(day, end, 91)))
