"""The report of the evidence: the share that agrees first, every row in a table, curves as figures."""

import pytest

from simulator.catalog.facts import points
from simulator.catalog.targets import published, targets
from simulator.report.scoreboard import evidence_content, evidence_files
from simulator.studies.evidence.score import Score
from simulator.studies.evidence.study import Evidence


def made():
    """Every target, simulated as it was published: those of validation a standard error and a half away."""
    found = []
    for key in targets().targets:
        role = published(key).role
        away = 1.5 if role == "validation" else 0.0
        point = points().get(key)
        value = point.value if point else 10.0
        found.append(Score(key, role, value, None, 1.0, "published", value + away, 0.1, away, "within 2 SE"))
    return Evidence(found, [], [])


@pytest.mark.slow
def test_the_share_that_agrees_is_first_and_every_row_is_there():
    found = made()
    page = evidence_content(found)
    outside = sum(score.role == "validation" for score in found.scores)
    assert page.lead.startswith(f"{outside} published rows that no value was fitted to: 100% lie within 2 standard")
    assert sum(len(table.rows) for table in page.tables) == len(found.scores)
    assert len(page.pictures) > 2
    (html,) = evidence_files(found).values()
    assert html.count("<figure") == len(page.pictures)
    assert "How well it agrees" in html
    assert [html] == [*evidence_files(found).values()]
