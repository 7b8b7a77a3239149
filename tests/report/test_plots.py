"""Pictures: they show the numbers of the result, nothing overlaps, and equal results give equal bytes."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from typer.testing import CliRunner

from simulator.cli.app import app
from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import PictureError
from simulator.report.plots import Plots, function, incidence, strata, trajectories
from simulator.report.plots.needs import PATIENTS
from simulator.report.plots.published import OUTCOMES, observed, published
from simulator.report.scale import plain_logarithm
from simulator.results import Result, name
from simulator.results.folder import write_folder
from tests.support.figures import boxes, check_texts
from tests.support.synthetic import ARMS, make_provenance, make_record, with_arms


def make_result(n=120, **options):
    record = make_record(n, **options)
    return name(record, lambda: make_provenance(record))


@pytest.fixture(scope="module")
def results():
    """The kinds of result there are."""
    return {
        "full": make_result(),
        "summary": make_result(full=False),
        "one arm": with_arms(["untreated"], at_onset=True),
    }


CROWD = [kind for kind in Kind if kind != Kind.person]
"""Pictures of a crowd; that of one person is tested in test_person.py."""
RARE = ("adverse", "milestones", "posterior")
"""Pictures of what these results do not have; they are drawn from a run of a scenario, below."""
KNOWN = [kind for kind in CROWD if kind not in RARE]
CASES = [
    *(("full", kind) for kind in KNOWN),
    *(("summary", kind) for kind in KNOWN if kind not in ("published", *PATIENTS)),
    *(("one arm", kind) for kind in KNOWN if kind not in ("published", "benefit", "strata", "subgroups", "engagement")),
]


def test_every_kind_is_a_method():
    assert len(Kind) > 5
    assert all(callable(getattr(Plots, kind)) for kind in Kind)


def test_the_accessor_is_made_once(results):
    result = results["full"]
    assert result.plot is result.plot
    assert type(result).plot is not result.plot


def test_a_result_knows_what_it_can_be_drawn_as(results):
    assert [(which, kind) for which, result in results.items() for kind in result.plot.kinds] == CASES


def test_texts_are_measured_as_they_are_drawn():
    figure = Figure()
    for words, size, weight in [
        ("Months since baseline", 8.5, "normal"),
        ("iiii, WWWW", 11.5, "bold"),
        ("±95 %", 7, "normal"),
    ]:
        with style.drawing():
            text = figure.text(0, 0, words, fontsize=size, fontweight=weight)
            wide = text.get_window_extent(FigureCanvasAgg(figure).get_renderer()).width / figure.dpi
        assert wide <= style.measure(words, size, weight) <= 1.05 * wide
        assert style.measure(style.fitted(words * 5, 1.0, size, weight=weight), size, weight) <= 1.0
        assert all(style.measure(line, size, weight) <= 2 for line in style.wrapped(f"{words} " * 9, 2, size, weight))


WIDTHS = [style.WIDE, style.NARROW]


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("which", "kind"), CASES)
def test_texts_lie_on_the_sheet_and_do_not_overlap(results, which, kind, width):
    check_texts(results[which].plot.draw(kind, width=width).figure)


@pytest.mark.parametrize("number", range(1, 6))
def test_texts_of_other_patients_do_not_overlap(results, number):
    check_texts(results["full"].plot.patient(number).figure)


@pytest.mark.parametrize("kind", KNOWN)
@pytest.mark.parametrize(("arms", "width"), [(20, style.WIDE), (20, style.NARROW)])
@pytest.mark.slow
def test_texts_of_many_arms_with_long_names_do_not_overlap(kind, arms, width):
    later = [f"start on day {97 * k} with a name that goes on" for k in range(1, arms - 1)]
    check_texts(with_arms(["untreated", "early_start", *later]).plot.draw(kind, width=width).figure)


@pytest.mark.parametrize("outcome", ["svc", "hhd", "nfl_plasma", "sod1_csf"])
def test_texts_of_other_outcomes_do_not_overlap(results, outcome):
    check_texts(results["full"].plot.trajectories(outcome).figure)


@pytest.mark.parametrize("kind", KNOWN)
@pytest.mark.slow
def test_equal_results_give_equal_bytes(kind):
    first = make_result().plot.draw(kind)
    with rc_context({"axes.facecolor": "red", "font.size": 30, "xtick.major.size": 20, "svg.hashsalt": None}):
        second = make_result().plot.draw(kind)
        again = second.svg()
    assert first.svg() == again
    assert first.png() == second.png()


@pytest.mark.parametrize("kind", KNOWN)
def test_an_svg_is_text_without_date_or_address(results, kind):
    svg = results["full"].plot.draw(kind).svg()
    assert any(words in svg for words in ("since baseline", "gain at least", "of patients", "simulated", "event-free"))
    assert not re.search(r"matplotlib\.org|<dc:date|<metadata", svg)
    assert re.search(r'<svg [^>]*role="img">\s*<title>', svg)
    ids = re.findall(r'\bid="([^"]+)"', svg)
    assert ids
    assert all(one.startswith(f"{kind}-") for one in ids)
    used = re.findall(r'(?:url\(|href=")#([^)"]+)', svg)
    assert used
    assert set(used) <= set(ids)


@pytest.mark.slow
def test_numbers_at_risk_are_those_of_the_result(results):
    result = results["full"]
    axes = result.plot.survival().figure.axes[0]
    written = [text.get_text() for text in axes.texts]
    time = result.groups["events"]["event_free_time"].values
    event = result.groups["events"]["event"].values > 0
    at = written.index("early_start")
    months = [float(tick) for tick in axes.get_xticks()]
    free = [int((~(event[1] & (time[1] <= month * 30.4375))).sum()) for month in months]
    assert written[at + 1 : at + 1 + len(months)] == [str(count) for count in free]
    assert free[0] == 120 > free[-1] > 0


def test_courses_count_the_dead_as_nothing_unless_survivors_are_asked_for(results):
    result = results["full"]
    score, death = result.groups["truth"]["alsfrs_r"].values, result.groups["events"]["death_time"].values
    dead = death[..., None] <= result.time
    shown, plain = result.plot.trajectories().figure, result.plot.trajectories(death="survivors").figure
    for k, axes in enumerate(shown.axes[:3]):
        mean = np.where(dead[k], 0, score[k].astype(float)).mean(0)
        np.testing.assert_allclose(axes.lines[0].get_ydata(), mean, rtol=1e-6)
    assert any("survivors only" in text for text, _ in boxes(plain))
    assert any("the dead at 0" in text for text, _ in boxes(results["summary"].plot.trajectories().figure))


def test_weighted_quantiles_are_those_of_repeated_values():
    """Law: a weight of 3 is three people with that value."""
    rng = np.random.default_rng(2)
    values, weight = rng.normal(size=(40, 3)), rng.integers(1, 5, 40)
    repeated = np.repeat(values, weight, axis=0)
    expected = np.quantile(repeated, trajectories.QUANTILES, axis=0, method="inverted_cdf").T
    np.testing.assert_array_equal(trajectories.weighted(values, weight.astype(float)), expected)


def test_shares_above_scores_are_those_of_everybody(results):
    result = results["full"]
    found = function.shares(result, 1)
    assert found.sum(0) == pytest.approx(1)
    assert (found >= 0).all()
    score, death = result.groups["truth"]["alsfrs_r"].values[1], result.groups["events"]["death_time"].values[1]
    assert found[0, 10] == np.mean((score[:, 10] >= 36) & ~(death <= result.time[10]))
    assert found[4] == pytest.approx(np.mean(death[:, None] <= result.time, 0))


def test_incidences_are_counts_and_compete(results):
    result = results["full"]
    death, ventilated, left = incidence.times(result, 2).values()
    events = {name: one.values for name, one in result.groups["events"].items()}
    assert np.isfinite(death).sum() == (events["event"][2] == 1).sum()
    assert not (np.isfinite(death) & np.isfinite(ventilated)).any()
    np.testing.assert_array_equal(left, events["dropout_time"][2])
    free = result.groups["summary"]["event_free"].values[2, -1]
    ends = [axes.lines[2].get_ydata()[-1] for axes in result.plot.incidence().figure.axes[:2]]
    assert sum(ends) == pytest.approx(1 - free)


def test_hazard_ratios_by_stratum_have_the_right_value():
    """Exponential times, hazards 1 and 1/2 a year: the ratio is 1/2, and z of the log-rank test is far below 0."""
    made = make_result(1500)
    years = np.random.default_rng(5).exponential([[1.0], [2.0], [1.0]], (3, 1500))
    events = made.groups["events"]
    events["event_free_time"] = events["event_free_time"]._replace(values=np.minimum(365.25 * years, 728))
    events["event"] = events["event"]._replace(values=(365.25 * years < 728).astype(np.int8))
    of = made.groups["patients"]["stratum"].values
    found = {(one.arm, one.against): one for one in strata.ratios(made, of == "faster")}
    one = found["early_start", "untreated"]
    assert one.lower < 0.5 < one.upper
    assert one.upper < 0.65
    assert one.z < -5
    assert abs(found["delayed_start", "untreated"].z) < 4


def test_lines_that_coincide_are_all_seen():
    """Of arms that are the same, none is solid over another: the control is, the others are dashed."""
    drawn = style.lines(ARMS, "untreated")
    assert drawn["untreated"].dash == "-"
    assert len({drawn[arm].dash for arm in ARMS}) == 3
    made = with_arms(["late", "early", "none"])
    asked = Result(lambda: made.attrs | {"control": "none"}, made.groups)
    solid, *dashed = sorted(asked.plot.survival().figure.axes[0].lines, key=lambda line: line.get_zorder())
    assert solid.get_linestyle() == "-"
    assert all(line.get_zorder() > solid.get_zorder() for line in dashed)  # though the control is the last arm


def test_stages_are_those_of_the_result(results):
    result = results["full"]
    areas = result.plot.stages().figure.axes[1].collections
    share = result.groups["summary"]["kings_stage_share"].values[1]
    assert len(areas) == sum(share.any(0))
    top = areas[-2].get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx(1 - share[:, -1].min())


def test_published_points_lie_on_the_picture_as_they_were_printed(results):
    axes = results["full"].plot.published().figure.axes[0]
    known = published(OUTCOMES[0], "faster", "early_start")
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert len(known) > 5
    assert dots[0].get_ydata().tolist() == [point.value for point in known]


def test_the_simulated_curve_is_the_mean_of_the_visits(results):
    result = results["full"]
    weeks, mean = observed(result, OUTCOMES[1], "faster", "early_start", 40)
    values = result.groups["observed"]["nfl_plasma"].values[1, result.groups["patients"]["stratum"].values == "faster"]
    ratio = np.log(values.astype(float) / values[:, :1])
    assert weeks.tolist() == list(range(0, 41, 4))
    assert np.log(mean) == pytest.approx(np.nanmean(ratio[:, :11], axis=0), abs=1e-6)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", Kind)
def test_a_result_of_one_patient_is_drawn(kind):
    one = make_result(1)
    if kind in one.plot.kinds:
        assert one.plot.draw(kind).svg()


def test_a_mean_above_most_of_its_patients_stays_on_the_axes():
    result = make_result()
    group = result.groups["summary"]
    mean = group["nfl_plasma_ratio_mean"]
    high = 2 * group["nfl_plasma_ratio_quantile"].values[..., 4].max()
    group["nfl_plasma_ratio_mean"] = mean._replace(values=np.full_like(mean.values, high))
    assert result.plot.biomarkers().figure.axes[0].get_ylim()[1] > high


def test_a_patient_who_has_no_onset_yet_is_said_to_be_before_it():
    result = make_result()
    months = result.groups["patients"]["time_since_onset"]
    result.groups["patients"]["time_since_onset"] = months._replace(values=np.full_like(months.values, np.nan))
    words = [text for text, _ in boxes(result.plot.patient().figure)]
    assert any("before onset" in text for text in words)
    assert not any("nan" in text for text in words)


@pytest.mark.slow
def test_the_speed_that_gains_are_set_against_is_named_as_its_axis(results):
    assert any("by decline before baseline;" in text for text, _ in boxes(results["full"].plot.benefit().figure))
    figure = with_arms(ARMS, at_onset=True).plot.benefit().figure
    assert figure.axes[2].get_xlabel() == "Months from onset to half of function (D50)"
    assert any("by D50;" in text for text, _ in boxes(figure))


@pytest.mark.parametrize("limits", [(0.21, 1.3), (0.52, 1.35), (0.9, 1.1), (150, 900), (0.01, 3)])
def test_a_logarithmic_axis_has_at_least_three_numbers(limits):
    axes = Figure().subplots()
    plain_logarithm(axes, "y", limits)
    shown = [tick for tick in axes.get_yticks() if limits[0] <= tick <= limits[1]]
    assert 3 <= len(shown) <= 9


def test_the_curve_ends_where_the_result_ends(results):
    result = results["full"]
    lines = result.plot.survival().figure.axes[0].lines
    for arm, line in zip(result.arms, lines, strict=True):
        assert line.get_ydata()[-1] == pytest.approx(float(result.survival(arm).at(728)))


def test_gains_are_those_of_the_same_patients(results):
    result = results["full"]
    points, upper = result.plot.benefit().figure.axes[:2]
    score = result.groups["truth"]["alsfrs_r"].values[..., list(result.time).index(364)].astype(float)
    score = np.where(result.groups["events"]["death_time"].values <= 364, 0, score)
    assert points.lines[0].get_ydata()[0] == pytest.approx((score[1] - score[0]).max())
    time = result.groups["events"]["event_free_time"].values / 30.4375
    gain = time[1] - time[0]
    drawn = upper.lines[0].get_ydata()
    assert drawn[0] == pytest.approx(gain.max())
    assert drawn[-1] == pytest.approx(gain.min())
    assert np.all(np.diff(drawn) <= 0)
    error = gain.std(ddof=1) / np.sqrt(len(gain))
    assert f"early_start vs untreated: {gain.mean():.1f} ± {error:.1f}" in [text.get_text() for text in upper.texts]


@pytest.mark.parametrize(
    ("draw", "text"),
    [
        (lambda found: found["summary"].plot.benefit(), "benefit: this result kept sums"),
        (lambda found: found["summary"].plot.patient(), "patient: this result kept sums"),
        (lambda found: found["one arm"].plot.published(), "this result has none of them"),
        (lambda found: with_arms(["a", "b"], stages=False).plot.stages(), "stages: this result has no stages"),
        (lambda found: found["full"].plot.person(), "this result is not one person's; run a scenario with a person"),
        (lambda found: found["one arm"].plot.benefit(), "needs two arms, and there is only untreated"),
        (lambda found: found["full"].plot.patient(120), "no patient 120. Patients: 0 to 119"),
        (lambda found: found["full"].plot.draw("survival", number=3), "survival has no option 'number'. Options: none"),
        (lambda found: found["full"].plot.adverse(), "no adverse events; give the scenario a block safety"),
        (lambda found: found["full"].plot.milestones(), "nobody enters before onset; run a scenario of carriers"),
        (lambda found: found["full"].plot.posterior(), "holds none of the calibrated values"),
        (lambda found: found["one arm"].plot.engagement(), "no arm of this result has a drug that lowers"),
        (lambda found: found["full"].plot.observed("rate"), "no outcome 'rate'. Outcomes: alsfrs_r"),
        (lambda found: found["full"].plot.swimmer(0), "cannot draw 0 patients; choose 1 to 100"),
        (lambda found: found["full"].plot.draw("patient", outcome="svc"), "no option 'outcome'. Options: number"),
        (lambda found: found["full"].plot.trajectories("weight"), "no outcome 'weight'. Outcomes: alsfrs_r"),
        (
            lambda found: found["full"].plot.trajectories(death="alive"),
            "no estimand 'alive'. Estimands: zero, survivors",
        ),
        (lambda found: found["full"].plot.trajectories("hhd", death="zero"), "hhd of the dead is not 0"),
        (lambda found: found["one arm"].plot.strata(), "needs two arms"),
        (lambda found: found["summary"].plot.incidence(), "incidence: this result kept sums"),
    ],
)
def test_what_cannot_be_drawn_is_refused(results, draw, text):
    with pytest.raises(PictureError, match=re.escape(text)) as found:
        draw(results)
    assert found.value.exit_code == 2


@pytest.mark.slow
def test_odd_names_do_no_harm():
    record = replace(make_record(30), arms=("untreated", "<b>$x^$ & co", "arm " * 15))
    odd = name(record, lambda: make_provenance(record))
    for kind in odd.plot.kinds:
        svg = odd.plot.draw(kind).svg()
        assert "<b>" not in svg


@given(st.lists(st.floats(0, 1), max_size=20), st.floats(0.01, 0.2))
def test_labels_are_moved_apart_in_order(heights, gap):
    heights = sorted(heights)
    moved = style.spread(heights, gap)
    assert len(moved) == len(heights)
    if gap * (len(heights) - 1) <= 1:
        assert all(-1e-9 <= height <= 1 + 1e-9 for height in moved)
    assert all(b - a >= gap - 1e-9 for a, b in pairwise(moved))
    if all(b - a >= gap for a, b in pairwise(heights)):
        assert moved == pytest.approx(heights)


def luminance(colour):
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_colours_can_be_read(mode):
    paper = getattr(style.PAPER, mode)
    words = [style.INK, style.SOFT, style.CONTROL]
    assert all(contrast(getattr(one, mode), paper) > 4.5 for one in words)
    assert all(contrast(getattr(one, mode), paper) > 3.3 for one in style.SERIES)
    assert len({colour.light for colour in style.COLOURS.values()}) == len(style.COLOURS)


def test_twenty_arms_look_different():
    arms = ["untreated", *(f"arm {k}" for k in range(19))]
    assert len(set(style.lines(arms, "untreated").values())) == 20


@pytest.mark.slow
def test_the_command(tmp_path):
    write_folder(make_result(), tmp_path / "run")
    done = CliRunner().invoke(app, ["plot", str(tmp_path / "run"), "survival"])
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(tmp_path / "run" / "survival.svg")
    drawn = re.sub(r" <metadata>.*</metadata>\n", "", (tmp_path / "run" / "survival.svg").read_text("utf-8"))
    assert drawn == make_result().plot.survival().svg()
    out = tmp_path / "new" / "a.png"
    assert (
        CliRunner().invoke(app, ["plot", str(tmp_path / "run" / "result.nc"), "patient", "-o", str(out)]).exit_code == 0
    )
    assert out.read_bytes().startswith(b"\x89PNG")
    for arguments in (("run", "nonsense"), ("run", "survival", "-o", str(tmp_path / "a.pdf"))):
        done = CliRunner().invoke(app, ["plot", str(tmp_path / arguments[0]), *arguments[1:]])
        assert done.exit_code == 2
