"""What the answer rests on: the values of a scenario by the grade of their evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from simulator.language.listing import Value
    from simulator.language.scenario import Scenario

GRADES = {
    "published": "read in the source",
    "derived": "computed from it",
    "calibrated": "chosen so that the model meets it",
    "assumed": "none of these",
}


class Grade(NamedTuple):
    """A grade of evidence: how many values have it, and their share in percent."""

    name: str
    meaning: str
    size: int
    percent: float


class Evidence(NamedTuple):
    """The graded values of a scenario, and the choices that need no evidence."""

    grades: list[Grade]
    total: int
    recalled: int  # values whose source was recalled, not read
    values: list[Value]
    choices: list[Value]

    @property
    def assumed(self) -> Grade:
        """What rests on assumption."""
        return self.grades[-1]


def evidence(scenario: Scenario) -> Evidence:
    """Every value of a scenario with its evidence, and how many have which grade."""
    from simulator.language.listing import values

    listed = values(scenario)
    graded = [value for value in listed if value.evidence]
    counts = {name: sum(value.evidence == name for value in graded) for name in GRADES}
    grades = [Grade(name, meaning, counts[name], 100 * counts[name] / len(graded)) for name, meaning in GRADES.items()]
    recalled = sum(value.read_in_source is False for value in graded)
    return Evidence(grades, len(graded), recalled, graded, [value for value in listed if not value.evidence])
