"""A bounded, seeded part of `python -m tests.fuzz`."""

import random
import re
import sys

import pytest

import simulator as sim
from simulator.results.folder import write_folder
from tests.fuzz import cases, disks

COUNTED = r"kind of number that scenarios have \(([\d,]+)\) at (\d+) edges are ([\d,]+) cases"


@pytest.mark.slow
def test_numbers_at_their_edges_are_refused_or_run():
    wrong = [one for seed in range(120) if (one := cases.number(random.Random(seed)))]
    assert not wrong


@pytest.mark.slow
def test_what_is_written_of_the_numbers_is_their_count(root):
    text = " ".join((root / "docs" / "reliability.md").read_text("utf-8").split())
    kinds, edges, count = (int(one.replace(",", "")) for one in re.search(COUNTED, text).groups())
    assert (kinds, edges, count) == (len(cases.places()), len(cases.EDGES), len(list(cases.numbers())))


def test_every_key_of_a_decision_is_reached():
    """Each field of the block and of its parts; `expected_qalys` is in place of `life_table`."""
    block = sim.load(cases.ECONOMICS).decision
    assert not [key for key in type(block).model_fields if not getattr(block, key)]
    for part in (block.utilities, block.costs, block.research, block.budget, block.severity):
        lacking = {key for key in type(part).model_fields if not getattr(part, key)}
        assert lacking <= {"expected_qalys"}


@pytest.mark.parametrize(
    ("name", "address", "value"),
    [
        ("adjunctive_care", "safety.serious_neurologic.per_year", 1e18),
        ("adjunctive_care", "visits.noise.alsfrs_r_points", 1e3),
        ("analytic/regions_weibull", "progression.cohort_log_shift", 1e3),
        ("analytic/regions_weibull", "progression.function.tau.lognormal.log_sd", 1e9),  # a segmentation fault
    ],
)
def test_numbers_that_once_failed(name, address, value):
    assert cases.at_edge(name, address, value) is None


@pytest.mark.slow
def test_families_of_claims_are_refused_or_analysed():
    wrong = [one for seed in range(30) if (one := cases.family(random.Random(seed)))]
    assert not wrong


@pytest.mark.slow
def test_damaged_files_are_noticed(tmp_path):
    folder = tmp_path / "run"
    write_folder(sim.simulate(sim.load("analytic/constant_hazard"), patients=20), folder)
    wrong = [one for seed in range(60) if (one := cases.damage(random.Random(seed), folder))]
    assert not wrong


@pytest.mark.slow
def test_killed_runs_leave_nothing(tmp_path):
    wrong = [one for seed in range(3) if (one := cases.kill(random.Random(seed), tmp_path, cases.COMMANDS[0]))]
    assert not wrong


@pytest.mark.slow
def test_mixtures_of_bundled_blocks_are_refused_or_run():
    wrong = [one for seed in range(40) if (one := cases.mixture(random.Random(seed)))]
    assert not wrong


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are those of POSIX")
@pytest.mark.parametrize("command", [cases.COMMANDS[k] for k in (5, 7, 10)], ids=" ".join)
@pytest.mark.slow
def test_a_full_disk_is_one_line(tmp_path, command):
    """Runs are in `test_folders.py`; the other commands in `python -m tests.fuzz --every disks`."""
    assert disks.full(random.Random(1), tmp_path, command) is None
