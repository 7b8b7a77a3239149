"""Economics of a decision: closed forms, an independent count from exported patients, laws, published tables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator as sim
from simulator.analysis.cost_effectiveness import Draws, People, incremental
from simulator.analysis.health_economics import Present, discounted, expected_quality
from simulator.errors import SimulatorError
from simulator.measures import economics
from simulator.studies.decide.base import base_case
from simulator.studies.decide.tables import row_of
from simulator.units import DAYS_PER_YEAR

DAY, N = 728, 150
STATES = {f"stage_{k}": 0.9 - 0.15 * k for k in range(5)}
PRICES = {
    "per_dose": {"tofersen": 14000}, "per_month": {"alive": 1000, "stage_4": 3000, "pav": 9000},
    "monitoring": {"tofersen": {"price": 450, "every_days": 91}},
}  # fmt: skip
STEPS = {"per_dose": {"tofersen": [{"from_day": 300, "factor": 0.5}]},
         "per_month": {"alive": [{"from_day": 365, "factor": 2}]}}  # fmt: skip
NORM = {"constant": 0.95, "male": 0.02, "age": -0.0003, "age_squared": -0.00004}


@pytest.fixture(scope="module")
def scenario():
    """Every kind of effect and a few prices: two rates of discount that change on day 500."""
    niv = {"niv": {"catalog": "non_invasive_ventilation"}, "tofersen": {"catalog": "tofersen"}}
    utilities = {"system": "ft9", "states": STATES, "pav": 0.3, "niv": 0.04, "norm": NORM,
                 "events": {"myelitis": {"loss": 0.3, "days": 60}}, "carers": {"stage_4": 0.1}}  # fmt: skip
    return sim.load("worth_treating").replace(
        {
            "treatments": niv, "safety": {"catalog": "tofersen_safety"}, "follow_up_days": DAY, "sensitivity": None,
            "arms": {"untreated": [{"treatments": ["niv"], "from_day": 0}],
                     "treated": [{"treatments": ["tofersen", "niv"], "from_day": 0}]},
            "visits.scoring": "items", "visits.every_days": 91,
            "decision": {
                **{key: value for key, value in sim.load("worth_treating").content()["decision"].items()
                   if key not in ("research",)},
                "options": ["untreated", "treated"], "utilities": utilities, "discount_effects_per_year": 0.015,
                "discount_later": {"from_day": 500, "costs": 0.1, "effects": 0.05}, "day": 700,
                "costs": {**PRICES, "per_month_on": {"niv": 0}, "steps": STEPS},
            },
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def result(scenario):
    return sim.simulate(scenario, patients=N, seed=4)


@pytest.fixture(scope="module")
def base(result, scenario):
    return base_case(result, scenario)


def worth(day, first, second):
    """Discounting day by day in plain Python: one rate until day 500, another after."""
    days = np.asarray(day, float)
    early = (1 + first) ** (-np.minimum(days, 500) / DAYS_PER_YEAR)
    return early * (1 + second) ** (-np.maximum(days - 500, 0) / DAYS_PER_YEAR)


def exported(result, tmp_path):
    """The patients as their CSV files hold them."""
    import csv

    from simulator.results.export import export

    found = {}
    for place in export(result, "csv", tmp_path / "csv"):
        with place.open() as file:
            found[place.stem] = list(csv.DictReader(file))
    return found


def test_costs_and_qalys_are_those_of_an_independent_count(result, scenario, base):
    """Gauss quadrature between all days on which anything changes, patient by patient, from the result's own arrays."""
    x, w = np.polynomial.legendre.leggauss(5)
    utility = np.array(list(STATES.values()))
    time = result.groups["truth"]["time"].values
    for a, arm in enumerate(("untreated", "treated")):
        events = {name: one.values[a] for name, one in result.groups["events"].items() if name != "arm"}
        life, quality, cost = [], [], []
        for i in range(N):
            death = np.nan_to_num(events["death_time"][i], nan=np.inf)
            living = time[time < death]
            stage = result.groups["truth"]["ft9_stage"].values[a, i, : len(living)]
            pav = events["event_free_time"][i] if events["event"][i] == 2 else np.inf
            niv = np.nan_to_num(events["niv_time"][i], nan=np.inf)
            people = {k: result.groups["patients"][k].values[i] for k in ("age", "sex")}
            age = people["age"] + living / DAYS_PER_YEAR
            most = 0.95 + 0.02 * (people["sex"] == 0) - 0.0003 * age - 0.00004 * age**2
            last = min(death, 700)
            cuts = np.unique(np.clip([*time, 365, 500, min(niv, last), min(pav, last), last], 0, last))
            half = np.diff(cuts) / 2
            grid = ((cuts[1:] + cuts[:-1]) / 2 + x[:, None] * half).T.ravel()
            step = (w[:, None] * half).T.ravel() / DAYS_PER_YEAR
            flow, health = worth(grid, 0.03, 0.1) * step, worth(grid, 0.015, 0.05) * step
            alive = np.ones(len(grid))
            life.append((health * alive).sum())
            well, worse, worst = (np.interp(grid, living, np.minimum(one, most))
                                  for one in (utility[stage], utility[stage] - 0.04, 0.3 + 0 * stage))  # fmt: skip
            value = np.where(grid >= pav, worst, np.where(grid >= niv, worse, well))
            quality.append((health * alive * (value - 0.1 * np.interp(grid, living, stage == 4))).sum())
            month = 1000 * np.where(grid < 365, 1, 2) + 9000 * (grid >= pav)
            month = month + 3000 * np.interp(grid, living, stage == 4)
            cost.append((flow * alive * 12 * month).sum())
        doses, adverse = ({k: v.values for k, v in result.groups[g].items()} for g in ("doses", "adverse_events"))
        kinds = str(result.groups["adverse_events"]["kind"].attrs["flag_meanings"]).split()
        for patient, day in zip(doses["patient"][doses["arm"] == a], doses["day"][doses["arm"] == a], strict=True):
            cost[patient] += 14000 * (1 if day < 300 else 0.5) * worth(day, 0.03, 0.1) * (0 <= day < 700)
        for i in range(N if arm == "treated" else 0):
            mine = doses["day"][(doses["arm"] == a) & (doses["patient"] == i)]
            end = min(np.nan_to_num(events["death_time"][i], nan=np.inf), 700, mine.max() + 28)
            cost[i] += sum(450 * worth(day, 0.03, 0.1) for day in np.arange(mine.min(), end, 91))
        here = (adverse["arm"] == a) & (adverse["kind"] == kinds.index("myelitis")) & (adverse["day"] < 700)
        for patient, day in zip(adverse["patient"][here], adverse["day"][here], strict=True):
            end = min(day + 60, np.nan_to_num(events["death_time"][patient], nan=np.inf), 700)
            middle = (end - day) / 2
            lost = (worth(day + middle + x * middle, 0.015, 0.05) * w).sum() * middle / DAYS_PER_YEAR
            quality[patient] -= 0.3 * max(lost, 0)
        found = base.worth[arm]
        assert found.life_years.mean() == pytest.approx(np.mean(life), rel=1e-6)
        assert found.qalys.mean() == pytest.approx(np.mean(quality), rel=1e-6)
        assert found.costs.mean() == pytest.approx(np.mean(cost), rel=1e-6)


def test_from_exported_files_to_one_in_a_million(result, scenario, base, tmp_path):
    """Life years and the costs of being alive and of doses, from the CSV files alone."""
    files = exported(result, tmp_path)
    events = [row for row in files["events"] if row["arm"] == "treated"]
    death = np.array([float(row["death_time"] or "inf") for row in events])
    last = np.minimum(np.where(np.isnan(death), np.inf, death), 700)
    one, two = np.log(1.015), np.log(1.05)
    first = (1 - np.exp(-one * np.minimum(last, 500) / DAYS_PER_YEAR)) / one
    rest = np.exp(-one * 500 / DAYS_PER_YEAR) * (1 - np.exp(-two * np.maximum(last - 500, 0) / DAYS_PER_YEAR)) / two
    assert base.worth["treated"].life_years.mean() == pytest.approx((first + rest).mean(), rel=1e-6)
    day = np.array([float(row["day"]) for row in files["doses"] if row["arm"] == "treated"])
    day = day[(day >= 0) & (day < 700)]
    paid = 14000 * np.where(day < 300, 1, 0.5) * worth(day, 0.03, 0.1)
    assert base.worth["treated"].parts["doses"].mean() == pytest.approx(paid.sum() / N, rel=1e-6)


def test_exponential_survival_and_constant_costs_have_a_closed_form():
    """Deaths at the quantiles of an exponential time: life years 1 / (hazard + δ) (1 − e^−(hazard + δ) h)."""
    hazard, rate, horizon, n = 0.3, 0.035, 20 * DAYS_PER_YEAR, 4000
    death = -np.log1p(-(np.arange(n) + 0.5) / n) / hazard * DAYS_PER_YEAR
    total = hazard + np.log1p(rate)
    closed = (1 - np.exp(-total * horizon / DAYS_PER_YEAR)) / total
    time = np.arange(0, horizon + 1, 28.0)
    time = np.append(time[time < horizon], horizon)
    course = economics.Course(time, np.zeros((n, len(time)), np.intp), np.minimum(death, horizon), horizon)
    assert course.area(np.ones((n, len(time))), Present(rate)).mean() == pytest.approx(closed, rel=1e-3)
    assert Present(rate).years(np.zeros(n), np.minimum(death, horizon)).mean() == pytest.approx(closed, rel=1e-3)


@given(dying=st.floats(0.005, 0.5), age=st.floats(20, 70), rate=st.floats(0, 0.1))
def test_qalys_of_a_constant_hazard_have_a_closed_form(dying, age, rate):
    """Until age 120: (1 − e^−(hazard + δ) h) / (hazard + δ), times a utility of 0.8."""
    total = -np.log1p(-dying) + np.log1p(rate)
    left = 120 - age
    closed = 0.8 * -np.expm1(-total * left) / total
    found = expected_quality([age], 18, [dying, dying], (0.8, 0.0, 0.0), Present(rate))
    assert found == pytest.approx(closed, rel=1e-3, abs=1e-3 + 0.8 / 12 * np.exp(-total * left))


def test_severity_reads_a_life_table(scenario, result):
    """Men and women by their own column: the mean over the patients, and one clear fault where it begins too late."""
    from simulator.studies.decide import secondary

    bands = [{"absolute": 12, "proportional": 0.85, "weight": 1.2}]
    table = {
        "source": "a table made for this test",
        "from_age": 18,
        "men": [0.01] * 40 + [0.1],
        "women": [0.005] * 40 + [0.08],
    }
    asked = scenario.replace({"decision.severity": {"life_table": table, "option": "untreated", "bands": bands}})
    nothing = Draws(np.zeros((2, 2, 1)), np.zeros((2, 2, 1)))
    (found,) = secondary.severity(base_case(result, asked), result, asked, nothing)
    people = {k: result.groups["patients"][k].values for k in ("age", "sex")}
    counted = []
    for age, sex in zip(people["age"], people["sex"], strict=True):
        year = np.arange(0, 120 - age, 0.02)
        at = age + year + 0.01
        dying = np.where(at < 58, 0.01, 0.1) if sex == 0 else np.where(at < 58, 0.005, 0.08)
        alive = np.exp(np.cumsum(np.log1p(-dying)) * 0.02)
        value = 0.95 + 0.02 * (sex == 0) - 0.0003 * at - 0.00004 * at**2
        counted.append((alive * np.maximum(value, 0) * worth(year * DAYS_PER_YEAR, 0.015, 0.05)).sum() * 0.02)
    assert found.note.endswith("QALYs without the disease by the life table of a table made for this test.")
    assert row_of(found, "treated")["expected QALYs"] == pytest.approx(np.mean(counted), rel=2e-3)
    late = scenario.replace({"decision.severity": {"life_table": {**table, "from_age": 60}, "option": "untreated",
                                                   "bands": bands}})  # fmt: skip
    with pytest.raises(SimulatorError, match="begins at age 60, and somebody is"):
        list(secondary.severity(base_case(result, late), result, late, nothing))


rates = st.floats(0, 0.2)


@given(rate=rates, later=rates, switch=st.floats(1, 3000), end=st.floats(1, 3000), cut=st.floats(1, 2999))
@pytest.mark.slow
def test_a_horizon_a_cycle_and_a_rate_may_be_split(rate, later, switch, end, cut):
    """Years to the end are those to a day before it and from there; a switch to the same rate changes nothing."""
    present, end = Present(rate, (switch, later)), max(end, cut + 1)
    whole, parts = present.years(0, end), present.years(0, cut) + present.years(cut, end)
    assert whole == pytest.approx(parts, rel=1e-9)
    assert Present(rate, (switch, rate)).years(0, end) == pytest.approx(Present(rate).years(0, end), rel=1e-9)
    days = np.array([0.0, end])
    split = np.array([0.0, cut, end])
    line = np.array([1.0, 1 - cut / end, 0.0])
    assert present.weights(days, end) @ line[[0, 2]] == pytest.approx(present.weights(split, end) @ line, rel=1e-6)
    day = np.linspace(0, end, 20_001)
    middle = (day[1:] + day[:-1]) / 2
    assert whole == pytest.approx(present.worth(middle).sum() * np.diff(day)[0] / DAYS_PER_YEAR, rel=1e-4)
    assert Present(rate).worth(day) == pytest.approx(discounted(day, rate))


@given(rate=rates, step=st.floats(1, 2000), factor=st.floats(0, 3), day=st.floats(0, 3000))
def test_a_price_step_is_a_factor_from_its_day_on(rate, step, factor, day):
    present = Present(rate, None, [(step, factor)])
    assert present.worth(day) == pytest.approx((factor if day >= step else 1) * discounted(day, rate))
    assert Present(rate, None, [(step, 1.0)]).years(0, day) == pytest.approx(Present(rate).years(0, day), rel=1e-9)


@pytest.fixture(scope="module")
def alike(scenario):
    """Options that must not differ: one arm twice, its epoch in two, and a free treatment that does nothing on top."""
    content = scenario.content()
    treated = content["arms"]["treated"]
    names = treated[0]["treatments"]
    parts = [{"treatments": names, "from_day": 0, "to_day": 196}, {"treatments": names, "from_day": 196}]
    useless = {"kind": "hazard_multiplier", "value": 1.0}
    free = {**content["decision"]["costs"], "per_month_on": {"niv": 0, "useless": 0}}
    twice = scenario.replace({
        "treatments.useless": useless,
        "arms": {"once": treated, "again": treated, "in parts": parts,
                 "and useless": [{**treated[0], "treatments": [*names, "useless"]}]},
        "decision": {**content["decision"], "options": ["once", "again", "in parts", "and useless"], "costs": free},
    })  # fmt: skip
    return twice, sim.simulate(twice, patients=40, seed=2)


@pytest.mark.slow
@settings(max_examples=8)
@given(rate=st.integers(0, 20), price=st.integers(0, 100_000), month=st.integers(0, 10_000), day=st.integers(30, DAY))
def test_what_is_the_same_gains_exactly_nothing(alike, rate, price, month, day):
    """Whatever the prices, the rate and the horizon: an arm against itself, split, or with what is free and useless."""
    twice, result = alike
    changed = twice.replace({"decision.discount_per_year": rate / 100, "decision.costs.per_dose.tofersen": price,
                             "decision.costs.per_month.alive": month, "decision.day": day})  # fmt: skip
    found = base_case(result, changed)
    for arm in ("again", "in parts", "and useless"):
        for key in ("costs", "qalys", "life_years"):
            assert (getattr(found.worth[arm], key) == getattr(found.worth["once"], key)).all(), (arm, key)
    assert [row.extra_net_benefit.value for row in found.rows[1:] if not row.status] == []


@settings(max_examples=8)
@given(cut=st.integers(1, 699))
def test_what_is_lived_before_a_day_does_not_hang_on_what_comes_after(result, scenario, cut):
    """A horizon in a longer follow-up: the parts until it, and from it on, are those of the whole."""
    whole = economics.of_patients(result, "treated", scenario)
    first = economics.of_patients(result, "treated", scenario, horizon=cut)
    again = economics.of_patients(result, "treated", scenario.replace({"decision.day": cut}))
    assert (first.costs == again.costs).all()
    assert (first.qalys == again.qalys).all()
    assert (first.costs <= whole.costs + 1e-6).all()
    death = result.groups["events"]["death_time"].values[1]
    dead = death <= cut
    assert first.life_years[dead] == pytest.approx(whole.life_years[dead], rel=1e-9)
    assert first.parts["doses"][dead] == pytest.approx(whole.parts["doses"][dead], rel=1e-9)


@pytest.mark.slow
def test_shorter_cycles_change_no_life_year_and_no_dose(scenario):
    """Output every 14 days in place of 28: death and doses count to the day; QALYs follow the stages."""
    found = []
    for every in (28, 14):
        changed = scenario.replace({"output.every_days": every})
        found.append(base_case(sim.simulate(changed, patients=60, seed=4), changed).worth["treated"])
    one, other = found
    assert (one.life_years == other.life_years).all()
    assert (one.parts["doses"] == other.parts["doses"]).all()
    assert one.qalys.mean() == pytest.approx(other.qalys.mean(), rel=2e-3)


def test_the_table_of_dampack_is_reproduced():
    """HIV screening, the first example of dampack's vignette `basic_cea`: costs, QALYs / 12, and its ratios."""
    names = ("status quo", "one time", "5yr", "3yr", "annual")
    cost = [26000, 27000, 28020, 28440, 29440]
    effect = [x / 12 for x in (277.25, 277.57, 277.78, 277.83, 277.76)]
    rows = incremental(names, People(*(np.tile(one, (2, 1)) for one in (cost, effect))), 50_000)
    found = {row.option: row for row in rows}
    assert [found[name].icer for name in names[1:4]] == pytest.approx([37500, 58285.714, 100800], rel=1e-6)
    assert found["annual"].status == "dominated"
    assert found["one time"].extra_cost.value == 1000
    assert found["5yr"].extra_effect.value == pytest.approx(0.0175)


def test_undiscounted_stands_beside_and_a_cut_horizon_warns(scenario, result, base):
    row = row_of(base.table("outcomes"), "treated")
    assert row["undiscounted life years"] > row["life years"]
    death = result.groups["events"]["death_time"].values[1]
    alive = 100 * (~(death <= 700)).mean()
    assert row["alive at the horizon"] == pytest.approx(alive)
    plain = scenario.replace({"decision.discount_per_year": 0, "decision.discount_effects_per_year": 0,
                              "decision.discount_later": None})  # fmt: skip
    again = economics.of_patients(result, "treated", plain)
    assert base.plain["treated"].qalys == pytest.approx(again.qalys)
    assert "Alive at the horizon on day 700" in base.warnings[0]
    assert "Without a price: giving a dose of tofersen" in base.warnings[1]


@settings(max_examples=10)
@given(key=st.sampled_from(["per_dose", "per_month", "monitoring"]), factor=st.just(2) | st.floats(0.001, 5))
def test_a_price_times_a_factor_is_its_part_times_the_factor(result, scenario, base, key, factor):
    part = {"per_dose": "doses", "per_month": "months in stages", "monitoring": "monitoring"}[key]

    def times(price):
        if not isinstance(price, dict):
            return factor * price
        return {**price, "price": factor * price["price"]}

    dearer = scenario.replace({f"decision.costs.{key}": {name: times(one) for name, one in PRICES[key].items()}})
    found = economics.of_patients(result, "treated", dearer)
    for name, values in base.worth["treated"].parts.items():
        more = factor if name == part or (name == "months after PAV" and key == "per_month") else 1
        assert found.parts[name] == pytest.approx(more * values)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"decision.utilities.events": {"fall": {"loss": 0.1, "days": 3}}}, "there is no event fall"),
        ({"decision.utilities.carers": {"stage_9": 0.1}}, "ft9 has no stage_9"),
        ({"decision.costs.steps": {"per_dose": {"riluzole": []}}}, "per_dose has no price of riluzole"),
        ({"decision.costs.steps": {"doses": {}}}, "there are no prices doses"),
        ({"decision.costs.monitoring": {"rilu": {"price": 1, "every_days": 9}}}, "there is no treatment rilu"),
        ({"decision.budget": {"new_patients": [10], "current": "untreated", "uptake": {"treated": [0.5, 1]}}},
         "there are 2 shares of treated and 1 years"),
        ({"decision.severity": {"expected_qalys": 20, "option": "none", "bands": [
            {"absolute": 12, "proportional": 0.85, "weight": 1.2}]}}, "none is no option"),
        ({"decision.severity": {"option": "treated", "bands": [{"absolute": 1, "proportional": 1, "weight": 2}]}},
         "need one source"),
        ({"decision.research": {"cost": 1, "patients": 1, "trial": {
            "outcome": "svc_change", "arm": "treated", "against": "none", "day": 182, "per_arm": 50}}},
         "none is no option"),
        ({"decision.research": {"cost": 1, "patients": 1, "trial": {
            "outcome": "svc_change", "arm": "treated", "against": "untreated", "day": 710, "per_arm": 50}}},
         "the trial ends on day 710, the decision on day 700"),
    ],
)  # fmt: skip
def test_what_names_nothing_is_refused(scenario, change, words):
    with pytest.raises(SimulatorError, match=words):
        scenario.replace(change)


@pytest.mark.slow
def test_a_run_prints_its_economics(scenario, tmp_path, capsys):
    from simulator.cli.run import show_run

    made = sim.simulate(scenario, patients=40, seed=3)
    show_run(made, as_json=False)
    text = capsys.readouterr().out
    told = " ".join(text[text.index("Decision:") :].split())
    assert "Decision: USD of 2023, perspective: payer; discount costs 3 % a year, effects 1.5 % (from day 500" in told
    assert max(map(len, text[text.index("Decision:") :].splitlines())) <= 80
    assert "alive at the horizon [%]" in text
    show_run(sim.simulate(scenario, patients=10, output="summary"), as_json=False)
    assert "run with --output full" in capsys.readouterr().out
