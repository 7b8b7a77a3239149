"""Items and stages: worked examples, the noise of an item, what a result says of stages. docs/model.md, section 2."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import simulator as sim
from simulator.engine import staging
from simulator.language.faults import ScenarioError
from simulator.models import MODELS
from simulator.program.calendar import item_sd
from tests.oracle.items import DIFFICULTY
from tests.oracle.items import stages as by_the_book
from tests.support.models import study

WELL = (4,) * 12
F = np.float32


def stages(points: tuple[int, ...], dead: bool = False, fed: bool = False, ventilated: bool = False) -> tuple[int, ...]:
    return tuple(int(code) for code in staging.stages(tuple(F(x) for x in points), dead, fed, ventilated))


def but(**items: int) -> tuple[int, ...]:
    """Everything well but the items named i1 to i12."""
    return tuple(items.get(f"i{k}", 4) for k in range(1, 13))


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (WELL, (0, 0, 0)),
        (but(i2=3), (1, 0, 0)),
        (but(i2=3, i5=3), (2, 0, 0)),
        (but(i2=3, i5=3, i8=3), (3, 0, 0)),
        (but(i6=3, i7=3, i9=3), (0, 0, 0)),  # dressing, turning and stairs name no region
        (but(i10=0), (5, 1, 1)),
        (but(i10=1), (0, 1, 1)),
        (but(i12=3), (5, 0, 0)),
        (but(i12=2), (5, 1, 0)),
        (but(i6=1), (0, 1, 1)),
        (but(i8=1), (1, 1, 1)),
        (but(i3=1), (1, 1, 1)),
        (but(i1=1), (1, 0, 1)),  # speech alone is not communication lost
        (but(i1=1, i4=1), (2, 1, 2)),
        (but(i1=1, i3=1, i4=1, i8=1, i10=0), (5, 4, 4)),
        ((3, 3, 3, *WELL[3:]), (1, 0, 1)),
    ],
)
def test_worked_examples(points, expected):
    assert stages(points) == expected
    assert stages(points, dead=True) == (6, 5, 5)


@pytest.mark.parametrize(
    ("points", "fed", "ventilated", "expected"),
    [
        (but(i2=3), True, False, (4, 0, 0)),
        (but(i2=3), False, True, (5, 0, 0)),
        (but(i2=3), True, True, (5, 0, 0)),
        (but(i12=3), True, False, (5, 0, 0)),
    ],
)
def test_worked_examples_with_a_feeding_tube_and_ventilation(points, fed, ventilated, expected):
    assert stages(points, fed=fed, ventilated=ventilated) == expected
    assert stages(points, dead=True, fed=fed, ventilated=ventilated) == (6, 5, 5)


@given(st.tuples(*[st.integers(0, 4)] * 12), st.booleans(), st.booleans(), st.booleans())
def test_the_engine_stages_as_the_page_says(points, dead, fed, ventilated):
    expected = tuple(by_the_book(list(points), dead, fed, ventilated).values())
    assert stages(points, dead, fed, ventilated) == expected


@given(st.tuples(*[st.integers(0, 4)] * 12), st.integers(0, 11))
def test_losing_a_point_never_improves_a_stage(points, k):
    worse = tuple(x - (j == k and x > 0) for j, x in enumerate(points))
    assert all(before <= after for before, after in zip(stages(points), stages(worse), strict=True))


@pytest.mark.parametrize(("a", "limit"), [(3.7, 0.1), (2.5, 0.2), (5.5, 0.2)])
def test_items_of_a_domain_add_up_to_it(a, limit):
    lost = np.linspace(0, 5, 2001) ** a  # (u/tau)^a
    for first in range(0, 12, 3):
        items = sum(4 / (1 + lost / d**a) for d in DIFFICULTY[first : first + 3])
        assert np.abs(items - 12 / (1 + lost)).max() < limit


@pytest.mark.parametrize("total", [1.2, 1.6, 2.5])
def test_noise_of_an_item_gives_the_total_its_sd(total):
    rng = np.random.default_rng(5)
    truth = rng.uniform(0, 4, 400_000)
    seen = np.clip(np.floor(truth + item_sd(total) * rng.standard_normal(truth.size) + 0.5), 0, 4)
    assert np.sqrt(12) * (seen - truth).std() == pytest.approx(total, rel=0.005)  # 4 standard errors


def test_an_item_has_no_noise_where_rounding_is_noise_enough():
    assert item_sd(0.9) == 0.0


@pytest.fixture(scope="module")
def valor():
    return sim.simulate(sim.load("valor").replace({"visits.scoring": "items"}), patients=300, seed=3, threads=1)


def test_shares_of_stages_are_those_of_the_patients(valor):
    summary, truth = valor.groups["summary"], valor.groups["truth"]
    for stage in ("kings_stage", "mitos_stage", "ft9_stage"):
        share, codes = summary[f"{stage}_share"].values, truth[stage].values
        assert share.sum(axis=-1) == pytest.approx(np.ones(share.shape[:2]))
        counted = np.stack([(codes == k).mean(axis=1) for k in range(share.shape[-1])], axis=-1)
        assert share == pytest.approx(counted)


def test_summary_mode_counts_the_same_stages(valor):
    scenario = sim.load("valor").replace({"visits.scoring": "items"})
    short = sim.simulate(scenario, patients=300, seed=3, threads=2, output="summary")
    for stage in ("kings_stage", "mitos_stage", "ft9_stage"):
        name = f"{stage}_share"
        assert (short.groups["summary"][name].values == valor.groups["summary"][name].values).all()


def test_stages_can_be_left_out():
    short = sim.simulate(sim.load("valor").replace({"output.stages": False}), patients=5, seed=3)
    assert "kings_stage" not in short.groups["truth"]
    assert "kings_stage_share" not in short.groups["summary"]


def test_visits_score_items_whether_or_not_the_truth_is_staged():
    scenario = sim.load("valor").replace({"visits.scoring": "items"})
    one, other = (sim.simulate(scenario.replace({"output.stages": s}), patients=40, seed=3) for s in (True, False))
    for name, array in one.groups["observed"].items():
        assert array.values.tobytes() == other.groups["observed"][name].values.tobytes(), name


def test_total_scores_give_no_observed_stages():
    assert "kings_stage" not in sim.simulate(sim.load("valor"), patients=5, seed=3).groups["observed"]


# --- care given


CARE = {
    "safety": None,
    "trial": None,
    "follow_up_days": 1456,
    "treatments": {"niv": {"catalog": "non_invasive_ventilation"}, "tube": {"catalog": "gastrostomy"}},
    "arms": {"none": [], "cared": [{"treatments": ["niv", "tube"], "from_day": 0}]},
}
STAGING = [name for name, spec in MODELS.items() if "kings_stage" in spec.OUTPUTS]


def care(model: str) -> dict[str, Any]:
    return CARE | ({"visits.scoring": "items"} if MODELS[model].SCORES_ITEMS else {})


@pytest.mark.slow
@pytest.mark.parametrize("model", [name for name in STAGING if MODELS[name].SCORES_ITEMS])
def test_a_feeding_tube_is_stage_4a_of_kings_and_ventilation_4b(model):
    """From the day after they begin, in truth and at visits; with both 4B. Without care nobody is in 4A."""
    result = sim.simulate(study(model, care(model)), patients=400, seed=3, threads=1)
    events, truth, seen = (result.groups[name] for name in ("events", "truth", "observed"))
    tube, niv, death = (
        np.nan_to_num(events[name].values[1].astype(float), nan=np.inf)[:, None]
        for name in ("gastrostomy_time", "niv_time", "death_time")
    )
    for codes, day in (
        (truth["kings_stage"].values, result.time[None]),
        (seen["kings_stage"].values, seen["day"].values[1]),
    ):
        fed, ventilated, alive = tube < day, niv < day, (codes[1] >= 0) & (day < death)
        assert (codes[1][ventilated & alive] == 5).all()
        assert set(codes[1][fed & ~ventilated & alive]) == {4, 5}
        assert not (codes[1][~fed & alive] == 4).any()
        assert not (codes[0] == 4).any()
        assert min((fed & ventilated & alive).sum(), (ventilated & ~fed & alive).sum()) > 100
        assert (codes[0][ventilated & alive] < 4).any()  # whose items alone would not say so


@pytest.mark.parametrize("model", [name for name in STAGING if not MODELS[name].SCORES_ITEMS])
def test_a_model_of_stages_alone_refuses_care_that_hangs_on_items(model):
    with pytest.raises(ScenarioError, match=f"the model {model} has no"):
        study(model, care(model))


FROM_ONSET = {"entry": {"at_onset": True}, "follow_up_days": 10_957, "output.every_days": 28, "visits.every_days": 364}


@pytest.mark.slow
@pytest.mark.parametrize(("scenario", "changes"), [("natural_history", {}), ("generic_als", FROM_ONSET)])
def test_kings_stages_follow_one_another_along_the_course(scenario, changes):
    """Median share of the course at which stages 2, 3 and 4 begin, of those who reach them, untreated.

    Published about .4, .6, .8 (Roche et al. 2012). Here .41, .67, .77 in SOD1-ALS and .45, .66, .80 in ALS of every
    cause with standard errors of .01; a wide band.
    """
    run = sim.simulate(sim.load(scenario).replace(changes), patients=2000, seed=2)
    codes, days = run.groups["truth"]["kings_stage"].values[0], run.time
    end = run.groups["events"]["death_time"].values[0]
    reached = [(codes >= k) & (codes < 6) for k in (2, 3, 5)]
    medians = [float(np.nanmedian(np.where(r.any(axis=1), days[r.argmax(axis=1)], np.nan) / end)) for r in reached]
    assert medians == sorted(medians)
    assert medians == pytest.approx([0.4, 0.6, 0.8], abs=0.12)
