"""Slips of a unit are told with what is usual, and nothing that the catalog or a bundled scenario says is."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import simulator as sim
from simulator.cli.app import app
from simulator.language.loading import bundled
from simulator.language.plausible import doubts, warnings

DOSE = "treatments.tofersen.regimen.dose_mg"
HIS47 = "progression.d50_months.p.Ala5Val.lognormal.median"
SLIPS = [
    (DOSE, 1e6, "1e+06 is more than 10 times what the catalog has, 100 mg"),
    (DOSE, 0.1, "0.1 is less than 1/10 of what the catalog has, 100 mg"),
    (HIS47, 1e12, "1e+12 is more than 10 times what the catalog has, 10.1 to 244 months"),
    ("progression.d50_months.other", 30 * 365, "10,950 is more than 10 times what the catalog has, 10.1 to 244 months"),
    ("disease.age_at_onset", 130, "130 years are longer than a life; the catalog has 49.7 years"),
    ("disease.age_at_onset.normal.mean", 49.7 * 12, "596.4 years are longer than a life; the catalog has 49.7 years"),
    ("entry", {"time_since_onset_months": 4000}, "4,000 months are longer than a life"),
    ("entry.eligible", {"age_years": {"max": 900}}, "900 years are longer than a life"),
    (
        "treatments.tofersen.tissue.half_life_days",
        28 / 30,
        "0.933333 is less than 1/10 of what the catalog has, 28 days",
    ),
]


@pytest.fixture(scope="module")
def scenario():
    return sim.load("valor")


@pytest.mark.parametrize("name", bundled())
def test_what_is_bundled_is_plausible(name):
    assert doubts(sim.load(name)) == []


@pytest.mark.parametrize(("address", "value", "fact"), SLIPS)
def test_a_slip_is_told_with_what_is_usual(scenario, address, value, fact):
    (found,) = doubts(scenario.replace({address: value}))
    assert found.fact == fact
    assert found.address.startswith(address)
    assert found.line > 1
    assert warnings(scenario.replace({address: value})) == (f"{found.address}: {fact}. Check the unit",)


@given(st.sampled_from([1 / 1000, 1 / 365, 1 / 30, 30, 365, 1000, 1e6]), st.floats(50, 200))
@settings(max_examples=40, deadline=None)
def test_every_slip_of_a_dose_is_told_and_no_dose_of_its_size(scenario, slip, dose):
    assert not doubts(scenario.replace({DOSE: dose}))
    assert bool(doubts(scenario.replace({DOSE: dose * slip}))) == (slip > 1 or dose * slip >= 0.1)


def test_results_and_commands_tell_it(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(
        sim.load("analytic/constant_m")
        .replace({HIS47.replace("p.Ala5Val.lognormal.median", "other"): 1e6})
        .resolved_yaml()
    )
    result = sim.simulate(sim.load(file), patients=3, output="summary")
    (told,) = result.warnings
    assert told.startswith("progression.d50_months.other: 1e+06 is more than 10 times what the catalog has")
    done = CliRunner().invoke(app, ["validate", str(file)])
    assert done.exit_code == 0
    assert done.stderr.startswith(f"Warning: {file}:")
    document = json.loads(CliRunner().invoke(app, ["validate", str(file), "--json"]).stdout)
    assert document["valid"]
    assert [one["address"] for one in document["warnings"]] == ["progression.d50_months.other"]
    plan = CliRunner().invoke(app, ["run", str(file), "--dry-run", "--json"])
    assert json.loads(plan.stdout)["warnings"] == [told]
