"""Who falls ill and who enters: the sections `disease` and `entry`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from simulator.language.blocks.entering import Data
from simulator.language.parts import Name, Rule
from simulator.quantities import (
    Distribution,
    NotNegative,
    Part,
    Positive,
    PositiveDistribution,
    Quantity,
    Share,
    fault,
)


def _not_negative(distribution: Distribution) -> Distribution:
    """Time cannot be negative."""
    if distribution.lowest < 0:
        raise fault("values below 0 are possible", "Give the normal a low of 0 or more")
    return distribution


class Variant(Part):
    """A variant's share of patients, and how likely a carrier's variant is on the trial's list of fast ones.

    `penetrance`: the share of carriers who ever fall ill; `diagnostic_delay_months`: from onset to diagnosis.
    """

    share: Share
    penetrance: Share | None = None
    diagnostic_delay_months: Annotated[Distribution, AfterValidator(_not_negative)] | None = None
    listed_fast: Share = Quantity(value=0, evidence="assumed")
    listed_below_d50_months: Positive | None = None


class OnsetSite(Part):
    """Shares of the sites of onset."""

    bulbar: Share
    upper_limb: Share
    lower_limb: Share


class BackgroundMortality(Part):
    """Death from other causes: `multiplier exp(log_rate + per_year_of_age age)` a year, times `women` for women."""

    multiplier: NotNegative
    log_rate: Quantity
    per_year_of_age: Quantity
    women: NotNegative


class Disease(Part):
    """The people with the disease, before any study."""

    name: Name
    variants: Annotated[dict[Name, Variant], Field(min_length=1)]
    age_at_onset: Distribution
    men: Share
    onset_site: OnsetSite
    background_mortality: BackgroundMortality


WAYS_IN = ("disease_time", "time_since_onset_months", "months_since_diagnosis", "at_onset", "presymptomatic_at_age")


class Entry(Part):
    """When people enter: at a disease time, a time since onset or diagnosis, at onset, or before it at an age in years.

    Who is referred and eligible. With `data` the participants of a data set enter, and `time_since_onset_months` is of
    those only whose time is not known. Before onset the age at onset is the one without treatment, and by `penetrance`
    of the variant some never fall ill; whoever has symptoms already is not let in.
    """

    disease_time: Annotated[Distribution, AfterValidator(_not_negative)] | None = None
    time_since_onset_months: Annotated[Distribution, AfterValidator(_not_negative)] | None = None
    months_since_diagnosis: PositiveDistribution | None = None
    at_onset: Literal[True] | None = None
    presymptomatic_at_age: Annotated[Distribution, AfterValidator(_not_negative)] | None = None
    referral_months: Positive | None = None
    eligible: Rule | None = None
    data: Data | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Entry:
        given = [way for way in WAYS_IN if getattr(self, way) is not None]
        if self.data is not None:
            if others := [way for way in given if way != "time_since_onset_months"]:
                fact = f"entry names data and {others[0]}: participants enter at their own time since onset"
                raise fault(fact, f"Remove {others[0]}, or data", others[0])
            return self
        if len(given) != 1:
            fact = f"entry names {' and '.join(given)}" if given else "entry does not say when people enter"
            raise fault(fact, f"Write exactly one of {', '.join(WAYS_IN)}, or data")
        return self
