"""Care that visits decide about: non-invasive ventilation and a feeding tube. See docs/care.md."""

from __future__ import annotations

from typing import ClassVar, Literal

from simulator.mechanisms.mechanism import Offered
from simulator.quantities import NotNegative, Share


class Ventilation(Offered):
    """Non-invasive ventilation: offered once, at the first visit of its epoch that measures poor breathing.

    It begins at the next week of the study and then multiplies the hazard of death or permanent ventilation. Bulbar
    function is that of the day of the offer.
    """

    kind: Literal["non_invasive_ventilation"]
    offered_below_svc_percent: NotNegative
    offered_at_respiratory_item: NotNegative
    good_bulbar_points: NotNegative
    accepted_good_bulbar: Share
    accepted_poor_bulbar: Share
    hazard_multiplier_good_bulbar: NotNegative
    hazard_multiplier_poor_bulbar: NotNegative

    BEGINS: ClassVar = "niv_time"

    def without_effect(self) -> dict[str, float]:
        """See `Mechanism.without_effect`.

        Returns
        -------
        dict of str to float
            Values by their address in the section.
        """
        return {f"hazard_multiplier_{bulbar}_bulbar": 1.0 for bulbar in ("good", "poor")}


class Gastrostomy(Offered):
    """A feeding tube: offered once, at the first visit of its epoch that measures so low an item of swallowing."""

    kind: Literal["gastrostomy"]
    at_swallowing_item: NotNegative
    uptake: Share
    hazard_multiplier: NotNegative

    BEGINS: ClassVar = "gastrostomy_time"

    def without_effect(self) -> dict[str, float]:
        """See `Mechanism.without_effect`.

        Returns
        -------
        dict of str to float
            Values by their address in the section.
        """
        return {"hazard_multiplier": 1.0}
