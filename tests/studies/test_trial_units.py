"""Figures of a trial have units where they are printed."""

import pytest

from simulator.analysis.trial.registry import ANALYSES
from simulator.studies.trial.html import named


class Trial:
    """As much of a trial as names need."""

    def __init__(self, outcome):
        self.arguments = {"outcome": outcome}


@pytest.mark.parametrize("name", ANALYSES)
def test_every_analysis_has_a_unit(name):
    told = named(Trial("alsfrs_r"), name)
    assert told.startswith(f"{name}, ")
    assert len(told) <= 32  # three figures with their errors fit beside it


def test_units_are_those_of_the_outcome():
    assert named(Trial("svc"), "mmrm") == "mmrm, % predicted"
    assert named(Trial("alsfrs_r"), "random_slope") == "random_slope, points per month"
    assert named(Trial("alsfrs_r"), "cox") == "cox, log"
    assert named(Trial("alsfrs_r"), "responder") == "responder, proportions"
