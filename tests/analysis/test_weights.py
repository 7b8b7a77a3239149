"""Readers of a result whose patients have weights, as twins of one person do: a weight of 2 is to be there twice."""

import numpy as np
import pytest

import simulator as sim
from simulator.measures import economics
from simulator.measures.headline import headline
from simulator.measures.metrics import DOSES, METRICS, STAGE_METRICS, estimate
from simulator.measures.outcome import OUTCOMES, OutcomeRequest, outcome
from simulator.results.arrays import Named
from simulator.results.export import occupancy
from simulator.results.tree import Result
from simulator.studies.person import selection

DAY, N = 728, 60
FROM_SUMS = ("serious_neurologic",)  # one person has no adverse events


@pytest.fixture(scope="module")
def scenario():
    """Two arms in which doses are missed, so that people differ in how many they have."""
    stages = {name: 0.9 - 0.2 * k for k, name in enumerate(("stage_0", "stage_1", "stage_2", "stage_3", "stage_4"))}
    return sim.load("worth_treating").replace(
        {
            "arms": {"untreated": [], "now": [{"treatments": ["tofersen"], "from_day": 0}]},
            "adherence": {"missed": 0.3, "delay_days_max": 1}, "decision.options": ["untreated", "now"],
            "decision.utilities": {"system": "ft9", "states": stages}, "follow_up_days": DAY,
        }
    )  # fmt: skip


def with_people(result, places, weight):
    """The result of some of its patients, who may be there more than once, each with a weight."""
    n = len(places)
    groups = {}
    for name in ("patients", "truth", "events"):
        groups[name] = {}
        for key, one in result.groups[name].items():
            at = one.dims.index("patient") if "patient" in one.dims else None
            groups[name][key] = one if at is None else Named(one.dims, np.take(one.values, places, axis=at), one.attrs)
    doses = result.groups["doses"]
    rows = [np.flatnonzero(doses["patient"].values == p) for p in places]
    mine = {key: one.values[np.concatenate(rows)] for key, one in doses.items()}
    mine["patient"] = np.repeat(np.arange(n), [len(row) for row in rows])
    groups["doses"] = {key: Named(doses[key].dims, values, doses[key].attrs) for key, values in mine.items()}
    groups["patients"]["weight"] = Named(("patient",), np.asarray(weight, float), {})
    groups["summary"] = result.groups["summary"]
    return Result(lambda: {**result.attrs, "n_patients": n}, groups)


@pytest.fixture(scope="module")
def two_ways(scenario):
    """The same people, with weights and as often as the weights say."""
    result = sim.simulate(scenario, patients=N, seed=3)
    times = np.random.default_rng(1).integers(1, 5, N)
    return (
        with_people(result, np.arange(N), times / times.mean()),
        with_people(result, np.repeat(np.arange(N), times), np.ones(times.sum())),
    )


@pytest.mark.parametrize("name", [name for name in OUTCOMES if name not in FROM_SUMS])
@pytest.mark.parametrize("against", ["", "untreated"])
def test_outcomes_count_weights(scenario, two_ways, name, against):
    weighted, repeated = (outcome(one, OutcomeRequest(name, "now", against, DAY), scenario) for one in two_ways)
    assert weighted.value == pytest.approx(repeated.value, rel=1e-6)
    assert weighted.mcse > repeated.mcse  # the same people are fewer than they look


@pytest.mark.parametrize("metric", [*METRICS, *STAGE_METRICS, DOSES], ids=lambda metric: metric.name)
def test_metrics_count_weights(two_ways, metric):
    if metric.name not in FROM_SUMS:
        weighted, repeated = (estimate(metric, one, "now", DAY) for one in two_ways)
        assert weighted.value == pytest.approx(repeated.value, rel=1e-6)


def test_doses_before_now_are_not_paid_again(scenario, two_ways):
    """One person's days count from now, and doses that were given before have negative ones."""
    result = two_ways[0]
    doses = result.groups["doses"]
    earlier = {key: one.values.copy() for key, one in doses.items()}
    earlier["day"] = earlier["day"] - 365
    groups = {**result.groups, "doses": {k: Named(doses[k].dims, v, doses[k].attrs) for k, v in earlier.items()}}
    past = Result(lambda: result.attrs, groups)
    price = scenario.replace({"decision.costs.per_month": {}, "decision.costs.per_dose.tofersen": 1000})
    rate = price.decision.discount_per_year.value
    day, who = earlier["day"], earlier["patient"]
    now = day >= 0
    worth = 1000 * (1 + rate) ** (-day[now] / 365.25) @ result.weight[who[now]] / N
    assert economics.economic("costs", past, "now", price).value == pytest.approx(worth)


def test_rows_about_a_population_are_not_made_of_one_person(two_ways):
    kinds = {row.kind for row in headline(two_ways[0]).rows}
    assert not kinds & {"onset", "trigger"}


def test_what_twins_are_worth_is_behind_the_errors_of_a_summary():
    """Weighed twins are fewer than they look; a summary knows nothing else of them."""
    result = sim.simulate(sim.load("natural_history"), patients=400, output="summary")
    arm = result.arms[0]
    attrs = {**result.attrs, "screening": '{"effective_sample_size": 100.0}'}
    fewer = Result(lambda: attrs, result.groups)
    whole, part = (one.survival(arm).rmst() for one in (result, fewer))
    assert part.value == whole.value
    assert part.mcse == pytest.approx(2 * whole.mcse)


def test_years_in_states_are_of_shares_not_of_counts(monkeypatch):
    """Sums of weights are no counts of patients: the states of every cycle add up to it."""
    monkeypatch.setattr(selection, "WEIGHED", selection.BLOCK)
    measured = {"person.now": {"alsfrs_r": 38, "svc_percent": 84}, "visits.assessments": ["alsfrs_r", "svc"]}
    earlier = {"person.earlier": [{"months_before": 5, "alsfrs_r": 43}], "entry.time_since_onset_months": 9}
    aside = {"person.account": None, "person.published": None, "follow_up_days": 364}
    given = sim.load("case_a").replace({**measured, **earlier, **aside})
    found = sim.person(given, patients=400, method="weigh", seed=1)
    assert found.worth < 0.95 * found.n_patients  # weights differ
    cells = [cell for cell in occupancy(found) if cell.system == "event" and cell.cycle == 0]
    assert sum(cell.share_at_start for cell in cells if cell.state == "event_free") == pytest.approx(2)  # two arms
    assert sum(cell.share_at_end for cell in cells) == pytest.approx(2)
