"""Block `rules`: what visits find out during life, which epochs of treatment can wait for or end at."""

from __future__ import annotations

from pydantic import model_validator

from simulator.quantities import NotNegative, Part, Positive, Quantity, Share, fault


class Trigger(Part):
    """Measured plasma NfL [pg/mL] reaches a level, and exceeds the person's own baseline by a rise."""

    nfl_plasma: Positive
    rise: NotNegative


class Phenoconversion(Part):
    """A visit after onset that measures an item below 4 (a total below 48) notices it with this probability."""

    sensitivity: Share = Quantity(value=0.9, evidence="assumed")


class Limit(Part):
    """A measured ALSFRS-R [points] or SVC [% predicted] at or below its limit; one of them is enough."""

    alsfrs_r: NotNegative | None = None
    svc_percent: NotNegative | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Limit:
        if self.alsfrs_r is None and self.svc_percent is None:
            raise fault("the limit is empty", "Write alsfrs_r, svc_percent or both")
        return self


class Rules(Part):
    """The events `trigger`, `phenoconversion` and `limit`; what is not written never happens."""

    trigger: Trigger | None = None
    phenoconversion: Phenoconversion | None = None
    limit: Limit | None = None
