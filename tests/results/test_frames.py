"""Tables of patients and groups: units, a named estimand of death, and the figures that the whole has."""

import re

import numpy as np
import pytest

from simulator.report.picture import PictureError
from simulator.results import name
from simulator.results.errors import ChoiceError
from simulator.results.frames import DEATHS
from simulator.results.part import part
from tests.support.synthetic import make_provenance, make_record


@pytest.fixture(scope="module")
def result():
    record = make_record(90)
    return name(record, lambda: make_provenance(record))


@pytest.mark.parametrize("death", DEATHS)
def test_death_is_counted_as_its_estimand_says(result, death):
    frame = result.frame("alsfrs_r", death=death, arms=["early_start"], days=[0, 364, 728])
    assert frame.attrs["units"] == {"day": "d", "month": "months", "alsfrs_r": "points"}
    assert frame.attrs["death"].startswith(death)
    assert len(frame) == 3 * 90
    dead = result.groups["events"]["death_time"].values[1][:, None] <= np.array([0, 364, 728])
    assert dead.any()
    assert (~frame["alive"]).sum() == dead.sum()
    values = frame["alsfrs_r"][~frame["alive"]]
    assert {"alive": values.isna(), "as_if_alive": values > 0, "death_zero": values == 0}[death].all()
    truth = result.groups["truth"]["alsfrs_r"].values[1][:, [0, 13, 26]]
    np.testing.assert_allclose(frame["alsfrs_r"][frame["alive"]], truth[~dead])


def test_a_group_has_the_figures_of_its_patients(result):
    table = result.summary(by="stratum", arms=["untreated"], days=[364])
    assert set(table["group"]) == {"faster", "slower"}
    found = table[table["group"] == "faster"].set_index("metric")
    who = result.groups["patients"]["stratum"].values == "faster"
    score = result.groups["truth"]["alsfrs_r"].values[0, who, 13].astype(float)
    dead = result.groups["events"]["death_time"].values[0, who] <= 364
    assert found.loc["alsfrs_r_death0_q50", "estimate"] == pytest.approx(np.median(np.where(dead, 0, score)))
    assert found.loc["alsfrs_r_mean", "estimate"] == pytest.approx(score[~dead].mean())
    assert found.loc["survival", "estimate"] == pytest.approx(1 - dead.mean())
    assert (found["lower"] <= found["estimate"]).all()
    assert (found["estimate"] <= found["upper"]).all()


def test_groups_together_are_the_whole(result):
    """Law: the shares of groups, weighed by their sizes, are those of everybody; so are means with the dead at 0."""
    whole = result.summary(arms=["delayed_start"], days=[364]).set_index("metric")
    for by in ("stratum", "variant", "sex"):
        table = result.summary(by=by, arms=["delayed_start"], days=[364])
        for metric in ("survival", "event_free", "alsfrs_r_death0_mean"):
            rows = table[table["metric"] == metric]
            assert rows["n"].sum() == 90
            mean = (rows["estimate"] * rows["n"]).sum() / 90
            assert mean == pytest.approx(whole.loc[metric, "estimate"], abs=1e-5)


def test_arms_and_days_are_chosen(result):
    table = result.summary(arms=["untreated"], days=[28, 56])
    assert set(table["arm"]) == {"untreated"}
    assert set(table["time"]) == {28, 56}
    assert len(result.summary()) == 3 * 27 * len(table) // 2


@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (lambda r: r.frame("weight"), "the truth has no outcome 'weight'. Outcomes: alsfrs_r"),
        (lambda r: r.frame(death="dead"), "no estimand 'dead' of death. Choose alive, missing"),
        (lambda r: r.frame("nfl_plasma", death="death_zero"), "nfl_plasma has no worst value 0"),
        (lambda r: r.frame(arms=["late"]), "no arm 'late'. Arms: untreated"),
        (lambda r: r.frame(days=[30]), "day 30 is no day of output. Choose from 0, 28, 56"),
        (lambda r: r.summary(by="age"), "not grouped by 'age'. Choose stratum, variant"),
    ],
)
def test_what_is_not_there_is_refused(result, ask, text):
    with pytest.raises(ChoiceError, match=text):
        ask(result)


def test_sums_have_no_patients():
    record = make_record(20, full=False)
    with pytest.raises(ChoiceError, match="kept sums"):
        name(record, lambda: make_provenance(record)).frame()


def test_pictures_have_a_theme_a_width_and_parts(result, tmp_path):
    picture = result.plot.strata(by="variant")
    words = [axes.get_title(loc="left").partition(",")[0] for axes in picture.figure.axes]
    assert {"p.Ala5Val", "other"} <= set(words)
    dark = picture.svg(theme="dark", width=400)
    assert 'width="400"' in dark
    assert "#15181d" in dark
    assert "#ffffff" not in dark
    with pytest.raises(PictureError, match="no theme 'night'"):
        picture.svg(theme="night")
    with pytest.raises(PictureError, match="a png has the light theme only"):
        result.plot.survival(theme="dark").save(tmp_path / "dark.png")
    assert result.plot.survival(theme="dark").save(tmp_path / "dark.svg").read_text("utf-8").count("#15181d")
    with pytest.raises(PictureError, match="no group 'age'"):
        result.plot.strata(by="age")


@pytest.mark.slow
def test_every_picture_takes_arms_days_width_and_theme(result):
    for kind in result.plot.kinds:
        picture = result.plot.draw(kind, arms=["early_start", "untreated"], days=[0, 364], width=4.4, theme="dark")
        assert picture.figure.get_figwidth() == 4.4
        assert "delayed_start" not in picture.svg()
        assert "#15181d" in picture.svg()
    axes = result.plot.survival(days=364).figure.axes[0]
    assert axes.get_xlim()[1] == pytest.approx(364 / 30.4375)


def test_a_part_has_the_figures_of_the_whole(result):
    """Law: until some day the curves are those of the whole, and so is the number of doses."""
    shown = part(result, ["delayed_start", "untreated"], 364)
    assert shown.arms == ("delayed_start", "untreated")
    assert shown.control == "untreated"
    for arm in shown.arms:
        assert shown.survival(arm).at(200) == result.survival(arm).at(200)
        doses, of = (one.groups["doses"] for one in (shown, result))
        mine = of["arm"].values == result.arm_index(arm)
        assert (doses["arm"].values == shown.arm_index(arm)).sum() == (mine & (of["day"].values <= 364)).sum()
    assert not (shown.groups["events"]["event_free_time"].values > 364).any()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"arms": "late"}, "no arm 'late'. Arms: untreated"),
        ({"days": 3000}, "until day 3000. Choose a day from 28 to 728"),
        ({"width": 1}, "cannot be 1 inches wide; choose 3.5 to 20"),
        ({"theme": "night"}, "no theme 'night'. Did you mean light? Themes: light, dark"),
    ],
)
def test_parts_that_are_not_there_are_refused(result, options, text):
    with pytest.raises((ChoiceError, PictureError), match=re.escape(text)):
        result.plot.survival(**options)
