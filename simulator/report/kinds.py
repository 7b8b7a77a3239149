"""The pictures there are, by name; nothing heavy is imported to know them."""

from enum import StrEnum


class Kind(StrEnum):
    """A picture of a result; `Plots` has a method of the same name."""

    trajectories = "trajectories"
    function = "function"
    survival = "survival"
    strata = "strata"
    subgroups = "subgroups"
    incidence = "incidence"
    adverse = "adverse"
    milestones = "milestones"
    occupancy = "occupancy"
    stages = "stages"
    biomarkers = "biomarkers"
    engagement = "engagement"
    published = "published"
    benefit = "benefit"
    waterfall = "waterfall"
    swimmer = "swimmer"
    observed = "observed"
    patient = "patient"
    flow = "flow"
    posterior = "posterior"
    person = "person"


class TrialKind(StrEnum):
    """A picture of a trial that was run many times; `TrialPlots` has a method of the same name."""

    forest = "forest"
    power = "power"


class AnalysedKind(StrEnum):
    """A picture of analyses of real people; `AnalysedPlots` has a method of the same name."""

    forest = "forest"
    survival = "survival"


class TwinsKind(StrEnum):
    """A picture of twins of a cohort; `TwinsPlots` has a method of the same name."""

    vpc = "vpc"
    calibration = "calibration"


class FitKind(StrEnum):
    """A picture of a fit; `FitPlots` has a method of the same name."""

    estimates = "estimates"


class SensitivityKind(StrEnum):
    """A picture of a sensitivity analysis; `SensitivityPlots` has a method of the same name."""

    tornado = "tornado"
    sobol = "sobol"


class DecisionKind(StrEnum):
    """A picture of a decision; `DecisionPlots` has a method of the same name."""

    plane = "plane"
    acceptability = "acceptability"
    loss = "loss"
    oneway = "oneway"


class SweepKind(StrEnum):
    """A picture of a sweep; `SweepPlots` has a method of the same name."""

    sweep = "sweep"


class Image(StrEnum):
    """Formats of a picture's file."""

    svg = "svg"
    png = "png"
