"""Pictures of people and of a drug: their numbers are those of the result, and no text overlaps another."""

import json

import numpy as np
import pytest

import simulator as sim
from simulator.report import people, style
from simulator.report.captions import APART, CAPTIONS, ORDER
from simulator.report.kinds import Kind
from simulator.report.picture import PictureError
from simulator.report.plots import (
    adverse,
    engagement,
    flow,
    function,
    incidence,
    milestones,
    observed,
    posterior,
    strata,
    subgroups,
    waterfall,
)
from simulator.report.plots.vectors import vectors
from simulator.results import Result, name
from simulator.studies.draws import one_draw, simulate_draws
from tests.support.figures import boxes, check_texts
from tests.support.synthetic import make_provenance, make_record, with_arms

NEW = ("subgroups", "adverse", "engagement", "waterfall", "swimmer", "observed", "flow", "posterior")


@pytest.fixture(scope="module")
def valor():
    return sim.simulate(sim.load("valor"), patients=120)


@pytest.fixture(scope="module")
def carriers():
    return sim.simulate(sim.load("prevention"), patients=120)


@pytest.fixture(scope="module")
def made():
    record = make_record(120)
    return name(record, lambda: make_provenance(record))


def test_every_picture_has_a_caption_and_a_place():
    assert set(ORDER) | set(APART) == set(Kind)
    assert not set(ORDER) & set(APART)
    assert set(CAPTIONS) >= set(Kind)


@pytest.mark.parametrize("width", [style.WIDE, style.NARROW])
@pytest.mark.parametrize("kind", NEW)
def test_texts_of_a_trials_pictures_do_not_overlap(valor, kind, width):
    assert kind in valor.plot.kinds
    check_texts(valor.plot.draw(kind, width=width).figure)


@pytest.mark.slow
@pytest.mark.parametrize("width", [style.WIDE, style.NARROW])
def test_carriers_have_milestones(carriers, valor, width):
    assert "milestones" not in valor.plot.kinds
    figure = carriers.plot.milestones(width=width).figure
    check_texts(figure)
    onset = carriers.groups["events"]["onset_time"].values
    shown = [axes for axes in figure.axes if axes.get_title(loc="left") == "Onset of weakness"]
    ends = sorted(line.get_ydata()[-1] for line in shown[0].lines)
    assert ends == pytest.approx(sorted(np.mean(onset <= carriers.follow_up_days, axis=1)))
    assert milestones.EVENTS["trigger_time"].capitalize() in [text for text, _ in boxes(figure)]


def test_subgroups_weighed_by_size_are_the_whole(made):
    found = subgroups.effects(made, "early_start", "untreated", 364)
    whole = found[0]
    score = made.groups["truth"]["alsfrs_r"].values[:, :, 13].astype(float)
    score = np.where(made.groups["events"]["death_time"].values <= 364, 0, score)
    assert whole.points[0] == pytest.approx((score[1] - score[0]).mean())
    parts = {one.name: one for one in found}
    for division in (("faster", "slower"), ("man", "woman")):
        mean = sum(parts[one].points[0] * parts[one].n for one in division) / 120
        assert mean == pytest.approx(whole.points[0])
        free = sum(parts[one].free[0] * parts[one].n for one in division) / 120
        assert free == pytest.approx(whole.free[0])


def test_a_waterfall_ends_with_the_dead_and_has_the_mean_of_everybody(made):
    change, dead = waterfall.changes(made, 0, 364)
    assert (np.diff(dead.astype(int)) >= 0).all()
    assert (np.diff(change[~dead]) <= 0).all()
    assert dead.sum() == (made.groups["events"]["death_time"].values[0] <= 364).sum() > 5
    summary = made.groups["summary"]
    score = made.groups["truth"]["alsfrs_r"].values[0, :, 0].astype(float)
    assert change.mean() == pytest.approx(summary["alsfrs_r_death0_mean"].values[0, 13] - score.mean(), abs=1e-4)


def test_lanes_end_where_lives_do(made):
    axes = made.plot.swimmer(12).figure.axes[0]
    assert len(axes.collections[0].get_segments()) == 12
    events = made.groups["events"]
    death = events["death_time"].values[0, :12]
    crosses = next(line for line in axes.lines if line.get_marker() == "x")
    assert sorted(crosses.get_xdata()) == pytest.approx(sorted(death[np.isfinite(death)] / 30.4375))


def test_what_is_measured_is_drawn_as_it_was_measured(made):
    days, values = observed.measured(made, 2, "svc")
    np.testing.assert_array_equal(values, made.groups["observed"]["svc"].values[2].astype(float))
    mean = made.plot.observed("svc").figure.axes[2].lines[0].get_ydata()
    assert mean[3] == pytest.approx(np.nanmean(values[:, 3]))
    assert days[3] == 84


def written(axes):
    """Words and count of each line of the boxes."""
    texts = [text.get_text() for text in axes.texts]
    return list(zip(texts[::2], texts[1::2], strict=True))


def test_the_flow_counts_everybody_once(made):
    """Law: reasons add up to those left out, and ends to those simulated, in the picture as in the table."""
    lines = written(made.plot.flow().figure.axes[0])
    assert lines[:4] == [("candidates", "360"), ("left out", "240"), ("not SVC % ≥ 65", "240"), ("simulated", "120")]
    for arm, end in zip(made.arms, zip(*(counts for _, counts in people.ends(made)), strict=True), strict=True):
        at = lines.index((arm, ""))
        assert [int(count) for _, count in lines[at + 1 : at + 4]] == list(end)
        assert sum(end) == 120


def with_screening(made, **screening):
    return Result(lambda: made.attrs | {"screening": json.dumps(screening)}, made.groups)


def test_reasons_beyond_those_that_fit_are_one_and_all_add_up(made):
    rejected = [["a", f"rule_{k} <= 3", 100 - k] for k in range(9)] + [["b", "rule_2 <= 3", 7]]
    lost = sum(count for *_, count in rejected)
    found = flow.reasons([with_screening(made, candidates=lost + 120, rejected=rejected)])
    assert len(found) == flow.REASONS
    assert found[0] == ("not rule 2 ≤ 3", 105)
    assert found[-1][0] == "4 other reasons"
    assert sum(count for _, count in found) == lost
    assert [count for _, count in found[:-1]] == sorted((count for _, count in found[:-1]), reverse=True)


def test_twins_of_one_person_are_found_among_many(made):
    told = with_screening(made, twins_looked_at=1000, share_that_fits=0.2)
    assert people.screened(told) == (1000, [("unlike what was measured", 800), ("like it, not needed", 80)])


@pytest.mark.parametrize(("arms", "width"), [(1, 7.2), (3, 7.2), (7, 7.2), (3, 4.4), (5, 4.4)])
def test_every_arm_of_the_flow_hangs_on_the_line(arms, width):
    """Each box of an arm is touched by a line at the middle of its upper side, and all lines are one."""
    figure = with_arms(["untreated", *(f"arm {k}" for k in range(1, arms))]).plot.flow(width=width).figure
    axes = figure.axes[0]
    boxes = [(one.get_x() + one.get_width() / 2, one.get_y()) for one in axes.patches]
    lines = [segment for one in axes.collections for segment in one.get_segments()]
    ends = {(round(float(x), 6), round(float(y), 6)) for line in lines for x, y in line}
    assert len(boxes) == arms + 3
    for x, y in boxes[3:]:
        assert (round(x, 6), round(y, 6)) in ends
    joined, rest = [lines[2]], lines[3:]  # what leads on from those who were simulated
    while near := [line for line in rest if any(crosses(line, other) for other in joined)]:
        joined, rest = joined + near, [line for line in rest if not any(line is one for one in near)]
    assert not rest


def crosses(a, b):
    """Whether two lines along the axes have a point in common."""
    return all(max(a[:, k].min(), b[:, k].min()) <= min(a[:, k].max(), b[:, k].max()) + 1e-6 for k in (0, 1))


def test_adverse_events_are_counted_once_a_patient(valor):
    group = valor.groups["adverse_events"]
    serious = (group["arm"].values == 1) & (group["serious"].values > 0)
    who = np.unique(group["patient"].values[serious])
    axes = valor.plot.adverse().figure.axes[0]
    assert axes.get_title(loc="left") == "Any serious event"
    assert max(line.get_ydata()[-1] for line in axes.lines) == pytest.approx(len(who) / 120)
    first = adverse._first(3, np.array([1, 1, 2]), np.array([9.0, 4.0, 7.0]), np.array([True, True, False]))
    np.testing.assert_array_equal(first, [np.nan, 4.0, np.nan])


def test_the_concentration_is_one_at_the_steady_state(valor):
    """Closed form: doses at the reference's interval since long ago have a mean of 1 over an interval."""
    drug = engagement.tissue(valor)
    k, every = np.log(2) / drug.half_life_days.value, drug.reference_every_days.value
    found = engagement.concentration(valor, 1, drug)
    n, days = found.shape
    doses = valor.groups["doses"]
    alive = np.flatnonzero(np.isfinite(found[:, 300]))
    assert len(alive) > 60
    assert (found[alive, 300] > 0).any()
    assert (found[alive, 300] > 0).any()
    for patient in alive:
        mine = (doses["arm"].values == 1) & (doses["patient"].values == patient)
        since = 300 - doses["day"].values[mine]
        dose = doses["dose_mg"].values[mine][since >= 0] / drug.reference_dose_mg.value
        assert found[patient, 300] == pytest.approx((k * every * np.exp(-k * since[since >= 0]) * dose).sum())
    assert n == 120
    assert days == valor.follow_up_days + 1
    dense = k * every * np.exp(-k * np.arange(0, 4000, every)).sum()
    assert np.mean(dense * np.exp(-k * np.arange(0, every, 0.01))) == pytest.approx(1, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["valor", "valor_regions"])
def test_prior_and_posterior_show_the_calibrated_values(name):
    result = sim.simulate(sim.load(name), patients=20)
    spec, numbers = posterior.held(result)
    assert spec.model == ("clock" if name == "valor" else "regions")
    assert len(numbers) > 20
    axes = result.plot.posterior().figure.axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == [posterior._label(spec.parameters[number]) for number in numbers]


BY_VECTOR = ("function", "strata", "incidence", "adverse", "engagement", "occupancy")


@pytest.fixture(scope="module")
def over():
    return simulate_draws(sim.load("valor"), 3, patients=40).result


@pytest.mark.parametrize("kind", BY_VECTOR)
def test_every_course_over_draws_has_its_band(over, kind):
    """Law: the line is the median over the vectors and lies within its band; names stand where lines end."""
    assert kind in over.plot.kinds
    for width in (style.WIDE, style.NARROW):
        figure = over.plot.draw(kind, width=width).figure
        check_texts(figure)
    assert "median over 3 vectors" in " ".join(text for text, _ in boxes(figure))
    for axes in figure.axes:
        lines = [line for line in axes.lines if len(line.get_xdata()) > 2]
        assert len(lines) == len(axes.collections) == 3
        for line, band in zip(lines, axes.collections, strict=True):
            edges = band.get_paths()[0].vertices[:, 1]
            assert edges.min() - 1e-9 <= min(line.get_ydata()) <= max(line.get_ydata()) <= edges.max() + 1e-9


def test_shares_over_draws_are_the_median_of_each_vector(over):
    each = [function.shares(one_draw(over, k), 1)[0] for k in range(3)]
    line = over.plot.function().figure.axes[0].lines[1]
    np.testing.assert_allclose(line.get_ydata(), np.median(each, axis=0))
    free = [incidence.times(one_draw(over, k), 1)["death before ventilation"] for k in range(3)]
    line = over.plot.incidence().figure.axes[0].lines[1]
    assert line.get_ydata()[-1] == np.median([np.isfinite(one).mean() for one in free])


@pytest.mark.parametrize("by", ["variant", "sex", "onset_site"])
def test_panels_are_of_any_group(valor, by):
    figure = valor.plot.strata(by=by).figure
    check_texts(figure)
    sizes = [int(axes.get_title(loc="left").rpartition(" ")[2]) for axes in figure.axes if axes.get_visible()]
    assert sum(sizes) == 120
    assert len(sizes) > 1


def test_names_stand_where_lines_end(valor, over):
    for picture in (valor.plot.survival(), over.plot.survival(), over.plot.function(), over.plot.trajectories()):
        for axes in picture.figure.axes:
            ends = {
                text.get_text().split(" ")[0]: text.get_position()[1]
                for text in axes.texts
                if text.get_position()[0] > 1
            }
            lines = [line for line in axes.lines if len(line.get_xdata()) > 2]
            for arm, line in zip(valor.arms, lines, strict=True):
                y = axes.transAxes.inverted().transform(axes.transData.transform((0, line.get_ydata()[-1])))[1]
                assert abs(y - ends[arm]) < 0.13


def test_gains_over_draws_are_medians_over_the_vectors(over):
    """Law: what each part gains is the median of the vectors' means, its line their 5th to 95th percentile."""
    each = [subgroups.effects(one, *over.contrasts[0], 364)[0] for one in vectors(over)]
    found = subgroups.over_vectors(over, *over.contrasts[0], 364)[0]
    for key in ("points", "free"):
        means = [getattr(one, key)[0] for one in each]
        np.testing.assert_allclose(getattr(found, key), np.quantile(means, (0.5, 0.05, 0.95)))
    assert found.n == over.n_patients
    curve = over.plot.benefit().figure.axes[1].lines[0].get_ydata()
    months = [one.groups["events"]["event_free_time"].values / 30.4375 for one in vectors(over)]
    a, b = map(over.arm_index, over.contrasts[0])
    assert curve[0] == pytest.approx(np.median([(one[a] - one[b]).max() for one in months]))


def test_pictures_over_draws_have_bands():
    result = simulate_draws(sim.load("valor"), 5, patients=40).result
    drawn = ("benefit", "subgroups", "published", "waterfall", "observed", "patient")
    known = {"trajectories", "survival", "stages", "biomarkers", "posterior", "flow", *BY_VECTOR, *drawn}
    assert set(result.plot.kinds) == known
    for kind in ("trajectories", "survival", "stages", "biomarkers", *drawn):
        for width in (style.WIDE, style.NARROW):
            figure = result.plot.draw(kind, width=width).figure
            check_texts(figure)
            assert all(axes.collections for axes in figure.axes if axes.get_visible())
    assert any("(" in text.get_text() for text in result.plot.flow().figure.axes[0].texts)
    assert result.plot.trajectories("svc").figure.axes[0].lines


@pytest.mark.parametrize("width", [style.WIDE, style.NARROW])
def test_function_by_stratum_has_the_medians_of_its_people(made, width):
    figure = made.plot.strata(outcome="alsfrs_r", width=width).figure
    check_texts(figure)
    who = made.groups["patients"]["stratum"].values == "faster"
    score = made.groups["truth"]["alsfrs_r"].values[1, who].astype(float)
    score = np.where(made.groups["events"]["death_time"].values[1, who, None] <= made.time, 0, score)
    axes = figure.axes[0]
    np.testing.assert_allclose(axes.lines[1].get_ydata(), np.median(score, axis=0))
    found = strata.medians(made, who, 364)[1]
    assert found.value == pytest.approx(np.median(score[:, 13]))
    assert found.lower < found.value < found.upper
    with pytest.raises(PictureError, match=r"no outcome 'svc'\. Outcomes: alsfrs_r"):
        made.plot.strata(outcome="svc")
