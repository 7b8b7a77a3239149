"""The page about the article's figures says what the program computes; the scenario gives the article's figures."""

from __future__ import annotations

import re

import numpy as np
import pytest

import simulator as sim
from benchmarks import article
from simulator.catalog.claims import claims
from simulator.language.listing import values

NUMBER = re.compile(r"−?\d+(?:\.\d+)?")


def numbers(text: str) -> list[str]:
    return NUMBER.findall(text)


def rows_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("|")]


@pytest.mark.slow
def test_the_page_holds_both_tables(root):
    """Word for word; numbers within one unit of their last place, which rounding on another processor may move."""
    page = rows_of((root / "docs" / "article.md").read_text())
    rows = [row for table in article.tables() for row in rows_of(table)]
    assert len(rows) == len(page) > 15
    for row, printed in zip(rows, page, strict=True):
        assert NUMBER.sub("#", row) == NUMBER.sub("#", printed)
        for found, expected in zip(numbers(row), numbers(printed), strict=True):
            unit = 10.0 ** -len(expected.partition(".")[2])
            assert float(found.replace("−", "-")) == pytest.approx(float(expected.replace("−", "-")), abs=1.01 * unit)


def test_the_scenario_gives_the_articles_figures():
    one = article.run("article", "untreated", "tofersen")
    quarter = one.change("alsfrs_r", article.TWO_YEARS) / (4 * article.TWO_YEARS / 365.25)
    assert quarter == pytest.approx([-1.1, -0.6], abs=0.03)
    assert quarter[1] / quarter[0] == pytest.approx(0.6 / 1.1, rel=1e-4)
    breathing = one.change("svc", article.YEAR)
    assert breathing == pytest.approx([-4.5, -2.3], abs=0.12)
    assert breathing[1] / breathing[0] == pytest.approx(2.3 / 4.5, rel=1e-4)
    for day, fall in ((article.YEAR, 0.28), (article.DAY_18_MONTHS, 0.31)):
        plasma = one.truth("nfl_plasma", day)
        assert 1 - (plasma[1] / plasma[0]).mean() == pytest.approx(fall, abs=5e-4)
    assert one.medians() == pytest.approx(list(article.shortest_medians()), abs=2.5)


def test_the_hazard_ratio_is_the_articles_person_by_person():
    """A constant hazard: each treated time is the untreated one over .82."""
    one = article.run("article", "untreated", "tofersen")
    events = one.result.groups["events"]
    times, happened = (events[name].values for name in ("event_free_time", "event"))
    both = (happened > 0).all(axis=0)
    assert both.mean() > 0.99
    assert times[0, both] / times[1, both] == pytest.approx(np.full(both.sum(), article.HAZARD_RATIO), rel=2e-4)


def test_no_law_whose_hazard_does_not_fall_gains_the_months_at_a_shorter_median():
    """Gompertz laws, over their growth: the gain of .82 is less than that of the exponential law of the same median."""
    least, treated = article.shortest_medians()
    assert least == pytest.approx(28.244, abs=1e-3)
    assert treated - least == pytest.approx(article.GAIN_MONTHS)
    for growth in (1e-4, 0.01, 0.05, 0.2):
        rate = growth * np.log(2) / np.expm1(growth * least)
        later = np.log1p(growth * np.log(2) / (article.HAZARD_RATIO * rate)) / growth
        assert later - least < article.GAIN_MONTHS


def test_every_figure_of_the_article_in_the_scenario_names_its_claim_and_is_assumed():
    taken = [value for value in values(sim.load("article")) if value.source and "the article" in value.source]
    assert len(taken) == 8
    for value in taken:
        named = re.findall(r"A\d\d", value.source)
        assert named
        assert {claims()[claim].verdict for claim in named} <= {"conflicts", "unverifiable"}
        assert value.evidence == "assumed"
        assert value.note
