"""A scenario as a notebook shows it: who, what, when, and nothing that a browser would run."""

from __future__ import annotations

import pytest

import simulator as sim
from simulator.language.display import lines, treated


@pytest.mark.parametrize(
    ("name", "arm", "said"),
    [
        ("valor", "untreated", "no treatment"),
        ("valor", "delayed_start", "tofersen from day 196"),
        ("prevention", "early_start", "tofersen from trigger or phenoconversion, what is first"),
        ("missed_doses", "held_12_weeks", "never_missed from day 0, held on its days 168 to 252"),
    ],
)
def test_an_arm_says_what_it_is_given_and_when(name, arm, said):
    assert treated(sim.load(name), arm) == said


def test_an_epoch_that_ends_says_so():
    epoch = {"treatments": ["tofersen"], "from_day": 28, "to_day": 56}
    assert (
        treated(sim.load("valor").replace({"arms.early_start.0": epoch}), "early_start")
        == "tofersen from day 28 to day 56"
    )


def test_the_lines_of_valor():
    said = dict(lines(sim.load("valor")))
    assert said["question"].startswith("What would")
    assert said["patients"] == "2,000 in each arm, followed 2002 days: 88 % other, 12 % p.Ala5Val"
    assert said["visits"].startswith("every 28 days: alsfrs_r, svc")
    assert dict(lines(sim.load("valor").replace({"context_of_use": None}))).keys().isdisjoint({"question"})


def test_a_notebook_shows_text_not_tags():
    shown = sim.load("valor").replace({"title": "<script>alert(1)</script>"})
    assert "<script" not in shown._repr_html_()
    assert "&lt;script&gt;" in shown._repr_html_()
    assert repr(sim.load("valor")).startswith("<Scenario 'VALOR and its open-label extension': 2,000 patients")
