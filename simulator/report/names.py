"""What pictures call a value of a scenario: its label where calibration has one, else its address in words."""

from __future__ import annotations

from functools import cache

from simulator.catalog.calibration import FILES, calibration

LEFT_OUT = frozenset(
    {"progression", "disease", "visits", "treatments", "lognormal", "normal", "beta", "gamma", "value", "states"}
)
"""Parts of an address that say nothing to a reader."""
WRITTEN = {
    "alsfrs r": "ALSFRS-R",
    "svc": "SVC",
    "d50": "D50",
    "nfl": "NfL",
    "sod1": "SOD1",
    "csf": "CSF",
    "ec50": "EC50",
}


@cache
def _labels() -> dict[str, str]:
    """By name and by address."""
    known = [one for name in reversed(FILES) for one in calibration(name).parameters]
    return {key: one.label for one in known for key in (one.name, one.address)}


def called(name: str) -> str:
    """A value in words.

    Examples
    --------
    >>> called("breathing_tau"), called("visits.noise.alsfrs_r_points")
    ('disease time when SVC is half', 'noise ALSFRS-R points')
    """
    if name in _labels():
        return _labels()[name]
    words = " ".join(part for part in name.split(".") if part not in LEFT_OUT).replace("_", " ")
    for plain, written in WRITTEN.items():
        words = f" {words} ".replace(f" {plain} ", f" {written} ").strip()
    return words or name
