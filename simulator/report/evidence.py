"""What the answer rests on: the values of a scenario by the grade of their evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from simulator.language.listing import Value
    from simulator.language.scenario import Scenario

GRADES = {
    "published": "read in the source",
    "derived": "computed from it",
    "calibrated": "chosen, or fitted, so that the model meets published rows",
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
    fitted: int = 0  # values that `als-sim calibrate` fitted, and that draws vary

    @property
    def assumed(self) -> Grade:
        """What rests on assumption."""
        return self.grades[-1]

    def sentence(self) -> str:
        """What the scenario rests on, in a line."""
        sizes = {grade.name: grade.size for grade in self.grades}
        known = f"{sizes['published'] + sizes['derived']} published or derived, {sizes['calibrated']} calibrated"
        drawn = f"; {self.fitted} were fitted together, and --draws varies them" if self.fitted else ""
        share = f"{self.assumed.size} ({self.assumed.percent:.0f} %) assumed"
        return f"Rests on {self.total} graded values: {known}, {share}{drawn}."


def evidence(scenario: Scenario) -> Evidence:
    """Every value of a scenario with its evidence, and how many have which grade."""
    from simulator.language.calibrated import places
    from simulator.language.listing import values

    listed = values(scenario)
    graded = [value for value in listed if value.evidence]
    counts = {name: sum(value.evidence == name for value in graded) for name in GRADES}
    grades = [Grade(name, meaning, counts[name], 100 * counts[name] / len(graded)) for name, meaning in GRADES.items()]
    recalled = sum(value.read_in_source is False for value in graded)
    fitted = len({place.number for place in places(scenario.content())})
    return Evidence(grades, len(graded), recalled, graded, [value for value in listed if not value.evidence], fitted)
