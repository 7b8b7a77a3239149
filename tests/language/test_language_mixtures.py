"""Files that nobody would write: blocks of different scenarios in one, all names of a block wrong, several faults.

Whatever stands in a file, it loads or is explained: a check must not presume that another has passed.
"""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from simulator.language import ScenarioError, bundled, load
from simulator.language.document import Document
from simulator.language.faults import Origin
from simulator.language.loading import build
from tests.support.mixtures import mixed, written

MIXTURES = 30
"""Mixtures for each seed; a tenth of them failed with an internal error where a trial named no arm of the scenario."""
NAMED = ("arms", "strata", "treatments", "disease.variants")
"""Where names are given."""
GIVES = ("arms", "strata", "sweep")
"""Blocks whose names may be any, where no other block uses them; a sweep can set arms of its own."""
ODD = (None, -1, 0, 1e30, 10**9, float("nan"), True, "", "nobody", [], {})


def explained(data: dict[str, Any]) -> list[str]:
    """The addresses of the faults; none if it loads. Anything but a `ScenarioError` fails the test."""
    try:
        build(copy.deepcopy(data), Document(None, Origin("mixed.yaml", {}, {}), [], []))
    except ScenarioError as error:
        found = error.errors
    else:
        return []
    assert all(fault.fact and fault.remedy for fault in found)
    return [fault.address for fault in found]


def damaged(part: Any, draw: random.Random) -> Any:
    """One in twelve leaves and names replaced."""
    if isinstance(part, dict):
        return {(f"{key}_" if draw.random() < 1 / 12 else key): damaged(value, draw) for key, value in part.items()}
    if isinstance(part, list):
        return [damaged(value, draw) for value in part]
    return draw.choice(ODD) if draw.random() < 1 / 12 else part


def renamed(part: Any, names: set[str]) -> Any:
    """The names replaced wherever they are keys or values."""
    if isinstance(part, dict):
        return {(f"not {key}" if key in names else key): renamed(value, names) for key, value in part.items()}
    if isinstance(part, list):
        return [renamed(value, names) for value in part]
    return f"not {part}" if isinstance(part, str) and part in names else part


def names_of(data: dict[str, Any], place: str) -> set[str]:
    """The names that a section gives."""
    for step in place.split("."):
        data = data.get(step) or {}
    return set(data)


@pytest.mark.parametrize("seed", range(6))
def test_a_mixture_of_blocks_loads_or_is_explained(seed):
    draw = random.Random(seed)
    for _ in range(MIXTURES):
        explained(mixed(draw))


@pytest.mark.parametrize("seed", range(6))
def test_a_mixture_with_several_faults_is_explained(seed):
    draw = random.Random(seed)
    for _ in range(MIXTURES):
        explained(damaged(mixed(draw), draw))


@pytest.mark.parametrize("name", bundled())
def test_a_block_that_gives_or_uses_only_wrong_names_is_explained(name):
    data = written()[name]
    known = set().union(*(names_of(data, place) for place in NAMED))
    for key, block in data.items():
        if (wrong := renamed(block, known)) != block:
            assert explained(data | {key: wrong}) or key in GIVES, key


def test_a_trial_that_names_no_arm_of_the_scenario_says_so():
    for scenario in ("valor", "group_sequential"):
        data = copy.deepcopy(written()[scenario])
        data["arms"] = {f"arm {number}": epochs for number, epochs in enumerate(data["arms"].values())}
        found = [address for address in explained(data) if address.startswith("trial")]
        assert sorted(found) == sorted(f"trial.allocation.{arm}" for arm in data["trial"]["allocation"])
    counts = copy.deepcopy(written()["valor_trial"])
    counts["trial"]["counts"] = {"fast": {"a": 3, "b": 3}}
    assert explained(counts) == [f"trial.counts.fast{arm}" for arm in ("", ".a", ".b")]


def test_faults_of_several_blocks_come_together():
    data = copy.deepcopy(written()["valor_trial"])
    data["arms"] = {"one": [{"treatments": ["tofersin"], "from_day": 0}], "two": []}
    data["trial"] |= {"lead_in": {"days": 300}, "analysis_days": [400], "interim": {"days": [20, 30]}}
    data |= {"output": {"days": [211]}, "sensitivity": {"outcome": "survival", "arm": "none", "day": 500}}
    assert set(explained(data)) == {
        "arms.one.0.treatments.0",
        "output.days.0",
        "sensitivity.arm",
        "sensitivity.day",
        "trial.analysis_days.0",
        "trial.counts.faster.placebo",
        "trial.counts.faster.tofersen",
        "trial.interim.days.0",
        "trial.interim.days.1",
        "trial.lead_in.days",
    }


def test_days_that_follow_up_reaches_are_taken_to_the_day():
    person = load("case_a").content()
    account = {"quote": "a year", "arm": next(iter(person["arms"])), "outcome": "alsfrs_r", "months": 12, "value": 30}
    person |= {"follow_up_days": 365, "person": person["person"] | {"account": [account]}}
    assert explained(person) == []
    assert explained(person | {"follow_up_days": 364}) == ["person.account.0.months"]
