"""Points of sweeps: laws of the designs, the block, fast copies of a scenario, the bytes of a point."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.special import ndtri
from scipy.stats import spearmanr

import simulator as sim
from simulator.execution.encoding import pack, unpack
from simulator.language import ScenarioError, bundled
from simulator.language.blocks.sweep import Axis, Sweep
from simulator.language.check import CHECKS
from simulator.language.listing import values
from simulator.language.template import Template
from simulator.program import compile_program
from simulator.program.memory import Memory
from simulator.run import SUMMED
from simulator.studies.sweep import points
from simulator.studies.sweep.axes import inverse, priors
from simulator.studies.sweep.digest import Digester
from simulator.studies.sweep.errors import SweepError
from simulator.studies.sweep.work import Job

EFFECT, DAY = "treatments.tofersen.effect.mean", "arms.delayed_start.0.from_day"


def block(**given):
    return Sweep.model_validate(given)


def design(scenario, **given):
    return points.design(scenario, block(**given))


@pytest.fixture(scope="module")
def valor():
    return sim.load("valor")


# --- designs


@given(st.lists(st.lists(st.integers(), min_size=1, max_size=4), min_size=1, max_size=4))
def test_a_grid_is_the_product_of_its_axes(axes):
    found = points.grid({f"a{k}": Axis(values=list(one)) for k, one in enumerate(axes)})
    assert [tuple(point.values()) for point in found] == list(itertools.product(*axes))


@given(st.dictionaries(st.sampled_from("abcde"), st.lists(st.integers(), min_size=1, max_size=4), min_size=1))
def test_one_at_a_time_leaves_all_other_values_alone(axes):
    found = points.one_at_a_time({name: Axis(values=list(one)) for name, one in axes.items()})
    assert found[0] == {}
    assert all(len(point) == 1 for point in found[1:])
    assert len(found) == 1 + sum(map(len, axes.values()))


@given(st.integers(1, 300), st.integers(1, 5), st.integers(0, 2**32))
def test_a_latin_hypercube_has_one_point_in_every_stratum(n, dimensions, seed):
    found = points.latin_hypercube(n, dimensions, seed)
    assert found.shape == (n, dimensions)
    assert ((found >= 0) & (found < 1)).all()
    assert all(sorted(np.floor(column * n)) == list(range(n)) for column in found.T)


@given(st.integers(1, 150), st.integers(1, 4), st.integers(0, 1000))
def test_a_doubled_latin_hypercube_begins_with_the_smaller(n, dimensions, seed):
    assert np.array_equal(
        points.latin_hypercube(2 * n, dimensions, seed)[:n], points.latin_hypercube(n, dimensions, seed)
    )


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 6), st.integers(0, 1000))
def test_more_sobol_points_and_more_draws_begin_with_the_fewer(n, more, dimensions, seed):
    few, many = (points.sobol(size, dimensions, seed) for size in (n, n + more))
    assert np.array_equal(many[:n], few)
    few, many = (points.correlated(size, np.eye(dimensions), seed) for size in (n, n + more))
    assert np.array_equal(many[:n], few)


def test_sobol_points_fill_the_cube_more_evenly_than_chance():
    inside = [(points.sobol(256, 2, seed) < 0.37).all(axis=1).mean() for seed in range(40)]
    assert np.std(inside) < 0.3 * math.sqrt(0.37**2 * (1 - 0.37**2) / 256)


@pytest.mark.parametrize("method", ["latin_hypercube", "sobol", "priors"])
def test_doubling_a_sample_keeps_its_first_half(valor, method):
    axes = {EFFECT: {"low": 0.2, "high": 0.8}, "entry.referral_months": {"lognormal": {"median": 9, "log_sd": 0.2}}}
    few, many = (design(valor, method=method, parameters=axes, points=n).points for n in (1000, 2000))
    assert many[:1000] == few
    assert len({json.dumps(point) for point in many}) == 2000


def test_a_sample_follows_its_distributions(valor):
    axes = {
        EFFECT: {"low": 0.2, "high": 0.8},
        DAY: {"low": 0, "high": 100, "whole": True},
        "entry.referral_months": {"lognormal": {"median": 9, "log_sd": 0.2, "high": 12}},
        "visits.entry_effect_points": "prior",
    }
    found = design(valor, method="latin_hypercube", parameters=axes, points=2000).points
    columns = {address: np.array([point[address] for point in found]) for address in axes}
    assert columns[EFFECT].mean() == pytest.approx(0.5, abs=1e-3)
    assert columns[DAY].dtype.kind == "i"
    assert np.median(columns["entry.referral_months"]) == pytest.approx(9, rel=1e-3)
    assert columns["entry.referral_months"].max() == 12
    prior = columns["visits.entry_effect_points"]  # normal, mean 1, SD 0.4
    assert (prior.mean(), prior.std()) == pytest.approx((1, 0.4), rel=5e-3)


def test_the_inverse_of_a_normal_is_that_of_scipy():
    u = np.linspace(0.001, 0.999, 11)
    axis = Axis.model_validate({"normal": {"mean": 3, "sd": 2, "low": 0}})
    assert inverse(axis, u) == pytest.approx(np.maximum(3 + 2 * ndtri(u), 0))


def test_a_copula_has_the_rank_correlation_that_it_should(valor):
    axes = {EFFECT: {"low": 0.2, "high": 0.8}, "entry.referral_months": {"low": 3, "high": 12}}
    pair = [{"between": list(axes), "value": 0.7}]
    found = design(valor, method="priors", parameters=axes, points=20_000, correlations=pair).points
    rho = spearmanr(*([point[address] for point in found] for address in axes)).statistic
    assert rho == pytest.approx(6 / math.pi * math.asin(0.35), abs=0.02)


def test_correlations_that_cannot_be_are_refused(valor):
    names = [EFFECT, "entry.referral_months", "follow_up_days"]
    axes = {name: {"low": 0.2, "high": 0.8} for name in names}
    pairs = [
        {"between": [a, b], "value": value}
        for (a, b), value in zip(itertools.combinations(names, 2), (0.9, 0.9, -0.9), strict=True)
    ]
    with pytest.raises(SweepError, match="positive definite"):
        design(valor, method="priors", parameters=axes, points=5, correlations=pairs)


def test_priors_without_parameters_draw_everything_that_has_a_prior(valor):
    found = design(valor, method="priors", points=3)
    assert set(found.addresses) == set(priors(valor))
    assert "visits.entry_effect_points" in found.addresses


def test_the_ensemble_gives_the_scenarios_of_a_run_over_draws(valor):
    from simulator.studies.calibrate.apply import drawn_scenarios

    found = design(valor, method="ensemble", points=3, across={DAY: [100, 196]})
    assert len(found.points) == 6
    scenarios = [valor.replace(point) for point in found.points if point[DAY] == 196]
    assert scenarios == list(drawn_scenarios(valor, 3))


def test_a_complement_receives_what_is_left(valor):
    axes = {"disease.variants.p.Ala5Val.share": {"values": [0.1, 0.3], "complement": "disease.variants.other.share"}}
    for point in design(valor, method="grid", parameters=axes).points:
        assert sum(point.values()) == pytest.approx(1)
        valor.replace(point)


def test_too_many_points_are_refused_before_they_are_made(valor):
    with pytest.raises(SweepError, match="more than 500,000"):
        points.as_given({f"a{k}": range(100) for k in range(5)})
    with pytest.raises(SweepError, match="finite"):
        points.as_given([{EFFECT: float("nan")}])
    with pytest.raises(ValidationError, match="does not say how many points"):
        block(method="sobol", parameters={EFFECT: {"low": 0, "high": 1}})


# --- copies of a scenario


def numbers(scenario):
    """Addresses of the scenario that hold a number."""
    found = [value for value in values(scenario) if isinstance(value.value, (int, float))]
    return [value.address for value in found if not isinstance(value.value, bool) and "sweep." not in value.address]


def tried(copy, settings):
    try:
        return copy(settings)
    except ScenarioError as error:
        return str(error)


@pytest.mark.parametrize("name", ["valor", "start_delay"])
@pytest.mark.slow
def test_a_fast_copy_is_the_ordinary_copy_at_every_address(name):
    scenario = sim.load(name)
    template, addresses = Template(scenario), numbers(scenario)
    assert len(addresses) > 80
    short = 0
    for address, value in zip(addresses, itertools.cycle((0.25, 7, 0.25, -3))):
        ordinary = tried(scenario.replace, {address: value})
        assert tried(template.replace, {address: value}) == ordinary, address
        short += not isinstance(ordinary, str) and template._short_way({address: value}, checked=False) is not None
    assert short > len(addresses) / 2


@pytest.mark.slow
@settings(max_examples=10)
@given(st.data())
def test_a_fast_copy_with_several_changes_is_the_ordinary_copy(data):
    scenario = sim.load("valor")
    chosen = data.draw(st.lists(st.sampled_from(numbers(scenario)), min_size=2, max_size=5, unique=True))
    several = {address: data.draw(st.sampled_from([0.1, 0.5, 1, 30])) for address in chosen}
    assert tried(Template(scenario).replace, several) == tried(scenario.replace, several)


class Watched:
    """A scenario that notes which of its sections are read."""

    def __init__(self, scenario):
        self.scenario, self.read = scenario, set()

    def __getattr__(self, name):
        self.read.add(name)
        return getattr(self.scenario, name)


@pytest.mark.parametrize("name", bundled())
def test_checks_read_the_sections_that_they_say(name):
    """A fast copy makes only the checks that read what was changed."""
    scenario = sim.load(name)
    assert len(CHECKS) > 30
    for sections, check in CHECKS:
        if "sweep" not in sections:  # its addresses may lie anywhere
            watched = Watched(scenario)
            assert not list(check(watched))
            assert watched.read <= set(sections), check.__name__


def test_sections_and_names_go_the_long_way():
    scenario = sim.load("valor")
    template = Template(scenario)
    for section in (
        {"entry.disease_time": {"normal": {"mean": 0.5, "sd": 0.1, "low": 0.1}}},
        {"visits.scoring": "items"},
        {"disease.variants.p.Ala5Val": 0.2, "disease.variants.other": 0.8},
        {"treatments.tofersen.effect": {"catalog": "tofersen"}},
        {"treatments.tofersen.effect.mean": 0.4, "treatments.tofersen.effect": 3},
        {"arms.third": [{"treatments": ["tofersen"], "from_day": 14}]},
        {"nothing.here": 3},
    ):
        assert tried(template.replace, section) == tried(scenario.replace, section)


@pytest.mark.parametrize("name", sorted(set(bundled()) - {"natural_history_variants"}))
@pytest.mark.slow
def test_a_program_from_memory_is_a_program_made_anew(name):
    scenario = sim.load(name)
    template, memory = Template(scenario), Memory()
    for address in [None, *numbers(scenario)[::4], None]:
        changed = tried(template.replace, {} if address is None else {address: 0.5})
        if isinstance(changed, str):
            continue
        kept = compile_program(changed, SUMMED, 100, False, memory)
        assert same(kept, compile_program(changed, SUMMED, 100, False)), address


def same(one, other):
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def test_what_has_not_changed_is_not_made_again(valor):
    template, memory = Template(valor), Memory()
    one, two = (compile_program(template.replace({EFFECT: mean}), SUMMED, 100, False, memory) for mean in (0.4, 0.5))
    assert two.people is one.people
    assert two.gates is one.gates
    assert two.visits is one.visits
    assert two.arms is not one.arms


# --- names and bytes of points


@pytest.mark.slow
def test_the_name_of_a_point_is_what_its_numbers_depend_on(valor):
    job = Job(json.dumps(valor.content()), "valor", 100, 1, 1, False)

    def key(scenario, job=job, number=0):
        return Digester().key(scenario, job, job.words(number))

    assert key(valor) == key(valor.replace({"title": "Another"}))
    assert key(valor) == key(valor.replace({"patients": 7}))
    names, count = {key(valor)}, 1
    for address in numbers(valor):
        changed = tried(valor.replace, {address: 0.123})
        if not isinstance(changed, str):
            names.add(key(changed))
            count += 1
    assert len(names) == count > 90
    assert key(valor, job._replace(patients=101)) not in names
    assert key(valor, job._replace(seed=2)) not in names
    assert key(valor, job._replace(independent=True), 3) != key(valor, job._replace(independent=True), 4)
    assert key(valor, number=3) == key(valor, number=4)


def test_one_digester_gives_the_names_of_many(valor):
    job = Job("", "valor", 100, 1, 1, False)
    template, digester = Template(valor), Digester()
    for address in [EFFECT, DAY, "entry.referral_months", EFFECT]:
        for value in (1, 2):
            scenario = template.replace({address: value})
            assert digester.key(scenario, job, range(1)) == Digester().key(
                valor.replace({address: value}), job, range(1)
            )


@given(st.binary(max_size=200), st.integers(0, 10**6), st.integers(1, 255))
def test_bytes_of_a_point_come_back_or_are_refused(noise, place, flip):
    sums = {"a": np.frombuffer(noise, np.uint8), "b": np.arange(6).reshape(2, 3)}
    content = pack({"key": "k", "settings": {"x": 1}}, sums)
    found = unpack(content)
    assert found.header["settings"] == {"x": 1}
    assert all(np.array_equal(found.arrays[name], array) for name, array in sums.items())
    k = place % len(content)
    assert unpack(content[:k] + bytes([content[k] ^ flip]) + content[k + 1 :]) is None
    assert unpack(content[:k]) is None
