"""Figures that pages print and the program knows: where a default moves or a row comes, no page goes stale unseen."""

import re
from pathlib import Path

import numpy as np
import pytest

import simulator as sim
from simulator.catalog.facts import facts, points
from simulator.catalog.targets import targets
from simulator.report.evidence import evidence
from simulator.units import DAYS_PER_MONTH

ROOT = Path(__file__).resolve().parents[2]


def page(name: str) -> str:
    """A written page, on one line."""
    return " ".join((ROOT / name).read_text("utf-8").split())


def printed(name: str, pattern: str) -> list[float]:
    """The numbers that a page prints in the place of each # of a pattern."""
    found = re.search(re.escape(pattern).replace(r"\#", r"([\d.,]+)"), page(name))
    assert found, f"{name} does not say: {pattern}"
    return [float(one.replace(",", "")) for one in found.groups()]


def test_pages_count_what_valor_rests_on():
    rests = evidence(sim.load("valor"))
    known = rests.total - rests.assumed.size
    said = "the # graded values in `valor`, # are graded `assumed`, # published, derived or calibrated; # were fitted"
    assert printed("README.md", said) == [rests.total, rests.assumed.size, known, rests.fitted]
    assert printed("docs/credibility.md", "# % of the values of `valor` are assumed") == [round(rests.assumed.percent)]
    assert printed("docs/credibility.md", "# fitted together, with intervals") == [rests.fitted]


def test_pages_count_the_evidence():
    compared = sum(fact.role != "context" for fact in facts().values())
    assert printed("docs/credibility.md", "# facts and # points of curves") == [compared, len(points())]
    assert printed("docs/credibility.md", "# of the facts cannot be expressed") == [len(targets().not_simulated)]


def test_the_model_page_and_the_scoreboard_have_the_known_conflicts():
    told = (ROOT / "docs" / "model.md").read_text("utf-8").partition("\n## 12. ")[2]
    assert [int(k) for k in re.findall(r"(?m)^(\d+)\. \*\*", told)] == list(range(1, len(targets().conflicts) + 1))
    board = page("docs/scoreboard.md")
    for number, one in enumerate(targets().conflicts, 1):
        assert f"| {number} | {one.title} | {one.published} |" in board


def test_pages_tell_the_agreement_that_the_scoreboard_has():
    board = "* #: # rows, #% within 2 SE"
    shares = {
        kind: printed("docs/scoreboard.md", board.replace("#:", f"{kind}:"))
        for role in ("calibration", "validation")
        for kind in (f"{role}, all standard errors", f"{role}, without those of the design")
    }
    (rows, share), (few, of_few), (other, of_other), (some, of_some) = shares.values()
    said = "# % of # calibration rows and # % of # validation rows lie within 2 standard errors"
    for name in ("docs/evidence.md", "docs/credibility.md"):
        assert printed(name, said) == [share, rows, of_other, other], name
    without = printed("docs/evidence.md", "without the design's errors it is # % of # and # % of #")
    assert without == pytest.approx([of_few, few, of_some, some])
    inside = page("docs/scoreboard.md").partition("## In sample")[2].partition("## Out of sample")[0]
    assert printed("docs/evidence.md", "All # calibration rows outside") == [
        inside.count("beyond") + inside.count("outside interval [conflict")
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "arm", "against", "day", "figure"),
    [
        ("sensitivity", "early_start", "untreated", 1096, "gives # ± # months of event-free time until day 1096"),
        ("sweeps", "at_onset", "month_12", 1096, "365 12.0 # ± # # ± # 730"),
        ("care", "tofersen", "none", 1820, "| tofersen | # (#) | # (#) |"),
    ],
)
def test_event_free_months_gained_are_those_of_the_page(name, arm, against, day, figure):
    """Fewer and other people than the page has, within four of both errors."""
    *_, gain, error = printed(f"docs/{name}.md", figure)
    scenario = {"sensitivity": "valor", "sweeps": "start_delay", "care": "adjunctive_care"}[name]
    result = sim.simulate(sim.load(scenario), patients=3000, seed=5)
    until = np.minimum(result.groups["events"]["event_free_time"].values, day) / DAYS_PER_MONTH
    each = until[result.arm_index(arm)] - until[result.arm_index(against)]
    assert each.mean() == pytest.approx(gain, abs=4 * np.hypot(error, each.std() / np.sqrt(each.size)))
