"""A bounded, seeded part of `python -m tests.fuzz`."""

import random

import pytest

import simulator as sim
from simulator.results.folder import write_folder
from tests.fuzz import cases


def test_numbers_at_their_edges_are_refused_or_run():
    wrong = [one for seed in range(120) if (one := cases.number(random.Random(seed)))]
    assert not wrong


def test_damaged_files_are_noticed(tmp_path):
    folder = tmp_path / "run"
    write_folder(sim.simulate(sim.load("analytic/constant_hazard"), patients=20), folder)
    wrong = [one for seed in range(60) if (one := cases.damage(random.Random(seed), folder))]
    assert not wrong


@pytest.mark.slow
def test_killed_runs_leave_nothing(tmp_path):
    command = ("run", "analytic/constant_hazard", "-n", "2000")
    wrong = [one for seed in range(6) if (one := cases.kill(random.Random(seed), tmp_path, command))]
    assert not wrong
