"""What can be measured: names, ranges, and what they are called elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from simulator.datasets.tables import Range

ITEMS = (
    *("speech", "salivation", "swallowing", "handwriting", "cutting", "dressing", "turning", "walking", "stairs"),
    *("dyspnea", "orthopnea", "respiratory_insufficiency"),
)
"""The twelve items of the ALSFRS-R, 0 to 4 each, as columns are called."""
DOMAINS = ("bulbar", "fine_motor", "gross_motor", "respiratory")
"""The four domains, 0 to 12 each."""


class Variable(NamedTuple):
    """A variable: its range, and its unit in words."""

    within: Range
    unit: str


VARIABLES: Mapping[str, Variable] = {
    "alsfrs_r": Variable(Range(0, 48), "points"),
    "svc": Variable(Range(0, 250), "% of predicted"),
    "fvc": Variable(Range(0, 250), "% of predicted"),
    "nfl_plasma": Variable(Range(1e-3, 1e5), "pg/mL"),
    "sod1_csf": Variable(Range(0, 1e6), "ratio to baseline, or ng/mL"),
    "hhd": Variable(Range(), "z"),
    "kings_stage": Variable(Range(0, 5), "stage"),
    "mitos_stage": Variable(Range(0, 5), "stage"),
    "ft9_stage": Variable(Range(0, 5), "stage"),
    **{item: Variable(Range(0, 4, whole=True), "points") for item in ITEMS},
    **{domain: Variable(Range(0, 12), "points") for domain in DOMAINS},
}
PARAMCDS: Mapping[str, str] = {
    "ALSFRSR": "alsfrs_r",
    "SVC": "svc",
    "FVC": "fvc",
    "HHD": "hhd",
    "NFL": "nfl_plasma",
    "SOD1": "sod1_csf",
    "KINGS": "kings_stage",
    "MITOS": "mitos_stage",
    "FT9": "ft9_stage",
}
"""Parameter codes of this program's ADaM-like tables."""
ENDPOINTS: Mapping[str, str] = {"DTHPAV": "event_free", "DEATH": "death", "DROPOUT": "dropout"}
"""Parameter codes of times to events there."""
