"""The page of validation of the trials says what the stored figures say, and its words hold for them."""

import re

import pytest

from benchmarks.trial_page import FOLDER, PAGE, TABLES, at, figures, outside, page, shown
from benchmarks.trial_validation import SECTIONS
from benchmarks.validation_arms import DESIGNS
from benchmarks.validation_base import PLAIN, SLOW, band, rounded
from benchmarks.validation_borrowing import BORROWING

ALL = figures()
NULLS = ("null_108", "null_60")


def test_the_page_is_made_of_the_figures():
    assert PAGE.read_text("utf-8") == page(ALL)


def test_every_figure_and_table_is_used_and_there():
    words = (FOLDER / "page.md").read_text("utf-8")
    assert set(re.findall(r"\{\{table (\w+)\}\}", words)) == set(TABLES)
    assert len(re.findall(r"\{\{[^}|]+\|", words)) > 40
    assert set(ALL) == set(SECTIONS)
    assert not re.search(r"\{\{|nan|None", page(ALL))


def test_every_section_is_named_with_its_command():
    assert set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^## .*$", PAGE.read_text("utf-8"), re.M)))) == set(SECTIONS)


@pytest.mark.parametrize("section", NULLS)
def test_all_analyses_stand_on_enough_trials(section):
    assert set(ALL[section]) == set(PLAIN)
    wanted = {name: 1000 if name in SLOW else 10_000 for name in PLAIN}
    assert {name: one["replicates"] for name, one in ALL[section].items()} == wanted


@pytest.mark.parametrize("section", NULLS)
def test_inside_means_inside_the_band(section):
    for one in (*ALL[section].values(), *ALL["strata"]["null"].values()):
        tried = round(one["replicates"] * one["estimable"][0])
        assert one["band"] == rounded(band(0.05, tried))
        assert one["inside"] == (one["band"][0] <= one["rejection"][0] <= one["band"][1])


def test_no_design_of_several_arms_errs_beyond_the_band():
    arms = ALL["arms"]
    assert arms["band"] == rounded(band(0.05, arms["replicates"]))
    for label in DESIGNS:
        assert arms[label]["inside"]
        assert arms[label]["none"][0] <= arms["band"][1]
        assert arms[label]["two_work"][0] <= arms["band"][1]
        assert arms[label]["none"][0] >= max(each[0] for each in arms[label]["none_each"])


def test_borrowing_errs_no_more_than_a_test_where_earlier_controls_agree():
    section = ALL["borrowing"]
    assert section["replicates"] >= 1000
    assert section["band"] == rounded(band(0.025, section["replicates"]))
    for name in BORROWING:
        null = {drift: section["null"][f"{name} {drift}"] for drift in ("-1", "0", "1")}
        assert null["0"]["benefit"][0] <= section["band"][1], name
        assert section["drug"][f"{name} -1"]["benefit"][0] <= section["drug"][f"{name} 0"]["benefit"][0], name
        assert null["1"]["borrowed"][0] < null["0"]["borrowed"][0] or "event" in name, name


def test_what_leaves_the_band_is_explained():
    explained = PAGE.read_text("utf-8").split("What leaves the band, and why:")[1].split("## ")[0]
    for name in {*outside(ALL["null_108"]), *outside(ALL["null_60"])}:
        assert f"`{name}`" in explained


def test_what_the_page_says_of_single_analyses_is_so():
    assert not set(outside(ALL["null_60"])) & {"joint_rank", "responder", "logrank"}
    assert not {name for key in NULLS for name in outside(ALL[key])} & {"ancova", "ancova_nfl", "mi", "mmrm"}
    without, within = ALL["strata"], ALL["null_108"]
    assert within["joint_rank"]["inside"]
    assert within["responder"]["inside"]
    assert not within["win_ratio"]["inside"]
    for name, one in without["null"].items():
        assert one["rejection"][0] < within[name]["rejection"][0]
    for name, one in without["drug"].items():
        assert one["rejection"][0] < at(ALL, f"drug_108/{name}/rejection/0")
    for name, one in without["drug_nobody_lost"].items():
        assert abs(one["bias"][0]) < -at(ALL, f"drug_108/{name}/bias/0")
    survivors = ALL["survivors"]
    assert abs(at(survivors, "truth/change_as_if_alive/0")) < 1e-9 < -at(survivors, "ancova/mean/0")
    assert at(ALL, "primary/imbalanced/mi/mean/0") < at(ALL, "primary/balanced/mi/mean/0")
    assert at(ALL, "primary/balanced/mi/width/mean/0") < 8.7


def test_figures_are_shown_as_asked():
    assert shown([0.04919, 0.0022], "%±1") == "4.9 ± 0.2"
    assert shown([-0.0004, 1.0], "2") == "0.00"
    assert shown(-1234.5, "1") == "−1,234.5"
    assert shown(0.0, "exp1") == "1.0"
    assert shown([None, None], "±1") == "–"
    with pytest.raises(KeyError):
        at(ALL, "null_108/anova")
