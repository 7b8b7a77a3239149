"""Figures of a report: their order, which is that of the question, and what each caption says to look at."""

from __future__ import annotations

from typing import NamedTuple

from simulator.report.kinds import Kind

ORDER = (
    Kind.person,
    Kind.survival,
    Kind.trajectories,
    Kind.function,
    Kind.strata,
    Kind.benefit,
    Kind.incidence,
    Kind.biomarkers,
    Kind.published,
    Kind.stages,
    Kind.occupancy,
    Kind.patient,
)
CAPTIONS = {
    "person": (
        "One person's courses, the dead at 0. Compare the bands of two arms at the same month: they are wide, for what "
        "makes people differ is mostly not known."
    ),
    "survival": (
        "How many are alive without permanent ventilation. The distance between two curves on a day is the second "
        "figure of the answer."
    ),
    "trajectories": (
        "Function over time with the dead at 0. The distance between the thick line and the dashed one is the "
        "first figure of the answer."
    ),
    "function": (
        "How many are alive and how well. A treatment helps where the dark layers stay wide, not where the grey "
        "one alone is narrow."
    ),
    "strata": (
        "Survival by stratum. A hazard ratio below 1 favours the first arm; one that differs much between panels "
        "means that the whole is a mixture."
    ),
    "benefit": ("The same person in two arms: how many gain how much, and whether the fast or the slow gain more."),
    "incidence": "What ends a course. Fewer deaths with more ventilation would not be a gain; see both.",
    "biomarkers": (
        "The markers and the doses: the course of neurofilament before function, and of the target that is lowered."
    ),
    "published": (
        "Published points with their intervals on what the simulated visits measured. Where they part, the model "
        "does not describe the trial."
    ),
    "stages": "King's stages. Follow one boundary over time: later means slower.",
    "occupancy": "Alive, on permanent ventilation, dead: the states that costs and utilities belong to.",
    "patient": ("One simulated patient in every arm, for how the parts hang together; one patient shows no average."),
    "forest": "Estimates of single trials and of all: how far one trial may lie from the truth.",
    "power": "Power by size: read off the participants at the power that you need.",
    "sweep": "Each outcome against what was varied.",
}
"""By the name of the picture; that of a trial's day without the day."""


class Figure(NamedTuple):
    """A picture of the report: its name, SVG, and caption."""

    name: str
    svg: str
    caption: str


def figure(name: str, svg: str) -> Figure:
    """A picture with its caption."""
    return Figure(name, svg, CAPTIONS.get(name.partition("-")[0], ""))
