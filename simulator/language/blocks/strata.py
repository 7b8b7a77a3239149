"""Block `strata`: shares of the enrolled, and the first rule that fits decides where a candidate belongs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simulator.language.parts import Rule
from simulator.quantities import Part, Share


class Stratum(Part):
    """A stratum's share; `when`: any of these rules; `eligible`: limits on top of those of `entry`."""

    share: Share
    when: Annotated[list[Rule], Field(min_length=1)] | None = None
    eligible: Rule | None = None
