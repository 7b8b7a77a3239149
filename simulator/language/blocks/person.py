"""Block `person`: one person, of whom something was measured; twins who match it are kept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.language.parts import Name, Text
from simulator.quantities import Limit, NotNegative, Part, Positive, Quantity, fault

Points = Annotated[
    Quantity, Limit("not a score of 0 to 48", "Write the total ALSFRS-R, 0 to 48", minimum=0, maximum=48)
]
Domain = Annotated[
    Quantity, Limit("not a score of 0 to 12", "Write the points of one domain, 0 to 12", minimum=0, maximum=12)
]
Percent = Annotated[Quantity, Limit("not a percentage of 0 to 200", "Write % of predicted", minimum=0, maximum=200)]
DOMAINS = ("bulbar", "fine_motor", "gross_motor", "respiratory")
BREATHING = ("svc_percent", "fvc_percent")
OUTCOMES = (
    "alsfrs_r", "alsfrs_r_change", "svc_percent", "fvc_percent", "fvc_percent_lowest", "nfl_plasma",
    "nfl_plasma_ratio", "event_free_from_onset_months", "survival_from_onset_months",
)  # fmt: skip
Outcome = Literal[
    "alsfrs_r", "alsfrs_r_change", "svc_percent", "fvc_percent", "fvc_percent_lowest", "nfl_plasma",
    "nfl_plasma_ratio", "event_free_from_onset_months", "survival_from_onset_months",
]  # fmt: skip
FROM_ONSET = ("event_free_from_onset_months", "survival_from_onset_months")


class Least(Part):
    """Limits: it was measured, and was at least this."""

    alsfrs_r: Points | None = None
    svc_percent: Percent | None = None
    fvc_percent: Percent | None = None


class Reading(Part):
    """What was measured on one day: ALSFRS-R, its domains (scored by items), breathing, NfL in plasma [pg/mL]."""

    alsfrs_r: Points | None = None
    bulbar: Domain | None = None
    fine_motor: Domain | None = None
    gross_motor: Domain | None = None
    respiratory: Domain | None = None
    svc_percent: Percent | None = None
    fvc_percent: Percent | None = None
    nfl_plasma: Positive | None = None
    at_least: Least | None = None

    @model_validator(mode="after")
    def _whole_points(self) -> Reading:
        for name in ("alsfrs_r", *DOMAINS):
            given = getattr(self, name)
            if given is not None and not given.value.is_integer():
                raise fault(f"{given.value:g} is not a whole number of points", "Write whole points", name)
        if self.alsfrs_r is not None and self.domains:
            raise fault("the domains say what the total is", "Write alsfrs_r or domains, not both", "alsfrs_r")
        return self

    @property
    def domains(self) -> dict[str, float]:
        """The domains that were scored."""
        found = {name: getattr(self, name) for name in DOMAINS}
        return {name: given.value for name, given in found.items() if given is not None}


class Earlier(Reading):
    """What was measured so many months before now."""

    months_before: Positive


class Tolerance(Part):
    """Half-width of what counts as the same figure: half of the last digit that was written down."""

    alsfrs_r: NotNegative = Quantity(value=0, evidence="assumed")
    svc_percent: NotNegative = Quantity(value=0.5, evidence="assumed")
    nfl_plasma: NotNegative = Quantity(value=0.5, evidence="assumed")


class Account(Part):
    """One thing that is told of the person: an outcome in an arm, `months` after now, and the value it is said to have.

    Outcomes that count from onset need no `months`.
    """

    quote: Text
    arm: Name
    outcome: Outcome
    months: Positive | None = None
    value: Quantity

    @model_validator(mode="after")
    def _when(self) -> Account:
        if (self.outcome in FROM_ONSET) == (self.months is not None):
            remedy = "Remove months" if self.months is not None else "Write months, counted from now"
            raise fault(f"{self.outcome} {'has' if self.months is not None else 'lacks'} months", remedy, "months")
        return self


class Person(Part):
    """One person now: age, sex, site of onset if known, what was measured now and earlier, what is told of them.

    The genotype stands in `disease.variants` and the time since onset in `entry`, as for everybody.
    """

    age_years: Positive
    sex: Literal["man", "woman"] | None = None
    onset_site: Literal["bulbar", "upper_limb", "lower_limb"] | None = None
    now: Reading = Reading()
    earlier: Annotated[list[Earlier], Field(min_length=1)] | None = None
    tolerance: Tolerance = Tolerance()
    account: Annotated[list[Account], Field(min_length=1)] | None = None
    published: Annotated[list[Name], Field(min_length=1)] | None = None
