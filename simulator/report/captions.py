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
    Kind.subgroups,
    Kind.benefit,
    Kind.milestones,
    Kind.incidence,
    Kind.adverse,
    Kind.biomarkers,
    Kind.engagement,
    Kind.published,
    Kind.stages,
)
"""Figures of a report."""
APART = (Kind.flow, Kind.posterior, Kind.waterfall, Kind.swimmer, Kind.observed, Kind.patient, Kind.occupancy)
"""Pictures that are drawn by themselves, by `als-sim plot`: a report has their tables, or is about groups."""
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
        "How many are alive and how well. A treatment helps where the lowest layers stay wide, not where that "
        "of the dead alone is narrow."
    ),
    "strata": (
        "Survival by stratum. A hazard ratio below 1 favours the first arm; one that differs much between panels "
        "means that the whole is a mixture."
    ),
    "subgroups": ("What each part of the patients gains. Beyond the dashed line a part gains more or less than all."),
    "milestones": (
        "From carrier to onset. The distance between the trigger and onset is the time that an early start has."
    ),
    "adverse": "First adverse events of each kind. Compare the distance of two arms with what the drug gains above.",
    "engagement": (
        "The drug in tissue and the fall of its target: how long after the first dose the target is at its lowest."
    ),
    "waterfall": (
        "Each patient's change in order; where the grey of the dead begins is the share alive. The area is the mean."
    ),
    "swimmer": "Courses of single patients: the same row is the same patient in every arm.",
    "observed": "What visits measured, with noise and missed visits; the mean is of those who were measured.",
    "flow": "From candidates to the end of follow-up, by arm.",
    "posterior": "Where the blue line is as long as the grey one, the published rows said nothing about the value.",
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
    "tornado": "The outcome at the 5th and at the 95th percentile of each value: the widest bars deserve data first.",
    "sobol": "Shares of the variance: where the total is far above the first order, values act together.",
    "sweep": "Each outcome against what was varied.",
    "plane": "Extra costs over extra QALYs at each draw of everything uncertain; below the line an option is worth it.",
    "acceptability": "In what share of the draws each option is the best, by what a QALY is worth.",
    "estimates": "Fitted values over the scenario's: where an interval holds 1 the data leave a value as it was.",
    "vpc": "Where an observed line leaves its band, the scenario does not describe these people.",
    "calibration": "Bars outside the grey, or a rival's error below the twins', say that the twins were not right.",
    "analyses": "Each estimate on its own scale: an interval that holds the dotted line is compatible with no effect.",
    "free": "Who is free of the event, with the number at risk: bands of few people are wide.",
    "curve": "Published points with their intervals, and what the simulated visits measured.",
    "courses": "What was measured, a line for each participant, by arm.",
    "loss": "What choosing an option loses on average against the best at each draw; the least is the EVPI.",
    "oneway": "Extra net benefit when each value moves between the 5th and 95th percentile of its prior.",
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
