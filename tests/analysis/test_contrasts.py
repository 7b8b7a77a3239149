"""Pairs of arms and days come from the design: names and places of arms cannot change a sign."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from simulator.cli.app import app
from simulator.language import ScenarioError, load, parse
from simulator.language.contrasts import amount, contrasts, control_of, named_days
from simulator.language.dump import to_yaml
from simulator.language.loading import bundled
from simulator.measures.headline import headline, main_day
from simulator.measures.headline import headline_days as shown_days
from simulator.results import name as result_of
from simulator.run import simulate
from simulator.studies.selection import SelectionError, asking
from simulator.studies.trial import plan
from tests.support.synthetic import make_provenance, make_record

SCENARIOS = {name: load(name) for name in bundled()}
SEVERAL = [name for name, scenario in SCENARIOS.items() if len(scenario.arms) > 1]
TRIALS = [name for name, scenario in SCENARIOS.items() if scenario.trial is not None]


def with_arms(name, names):
    """A bundled scenario whose arms have other names, in the order of these."""
    data = SCENARIOS[name].content()
    data["arms"] = {new: data["arms"][old] for old, new in names.items()}
    trial = data.get("trial", {})
    if "control" in data:
        data["control"] = names[data["control"]]
    if "allocation" in trial:
        trial["allocation"] = {names[arm]: n for arm, n in trial["allocation"].items()}
    for stratum, counts in trial.get("counts", {}).items():
        trial["counts"][stratum] = {names[arm]: n for arm, n in counts.items()}
    if trend := trial.get("comparisons", {}).get("trend"):
        trend["doses"] = {names[arm]: dose for arm, dose in trend["doses"].items()}
    if platform := trial.get("comparisons", {}).get("platform"):
        platform["opens"] = {names[arm]: day for arm, day in platform["opens"].items()}
        platform["apart"] = [names[arm] for arm in platform.get("apart", [])]
    for part in (data.get("sensitivity", {}), trial.get("imbalance", {})):
        part |= {key: names[part[key]] for key in ("arm", "against") if key in part}
    if "decision" in data:
        rename_options(data["decision"], names)
    for block in ("sweep", "person"):
        data.pop(block, None)
    return parse(to_yaml(data).encode(), "renamed.yaml")


def rename_options(decision, names):
    """The arms of a decision under their other names."""
    decision["options"] = [names[arm] for arm in decision["options"]]
    if "severity" in decision:
        decision["severity"]["option"] = names[decision["severity"]["option"]]
    if budget := decision.get("budget"):
        budget["current"] = names[budget["current"]]
        budget["uptake"] = {names[arm]: shares for arm, shares in budget["uptake"].items()}
    if compared := (decision.get("research") or {}).get("trial"):
        compared |= {key: names[compared[key]] for key in ("arm", "against")}


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(SEVERAL), st.randoms(use_true_random=False), st.booleans())
@pytest.mark.slow
def test_names_and_places_of_arms_change_no_pair(name, random, renamed):
    arms = list(SCENARIOS[name].arms)
    random.shuffle(arms)
    names = {arm: f"{'untreated' if k == 1 else 'arm'} {k}" if renamed else arm for k, arm in enumerate(arms)}
    expected = {(names[a], names[b]) for a, b in contrasts(SCENARIOS[name])}
    assert set(contrasts(with_arms(name, names))) == expected


@pytest.mark.parametrize("name", [name for name in TRIALS if len(SCENARIOS[name].arms) > 1])
def test_run_and_trial_compare_the_same_two_arms(name):
    arms = plan.plan(SCENARIOS[name], plan.TrialOptions()).arms
    assert tuple(arms) in contrasts(SCENARIOS[name])


def test_the_least_treated_arm_is_the_control_unless_the_scenario_names_another():
    named = {name for name in SEVERAL if SCENARIOS[name].control is not None}
    assert {(name, control_of(SCENARIOS[name])) for name in named} == {
        ("small_molecule", "stays"),
        ("healey", "placebo"),
        ("centaur", "placebo"),
    }
    least = {control_of(SCENARIOS[name]) for name in SEVERAL if name not in named}
    assert least == {"untreated", "placebo", "none", "delayed_start", "external"}
    assert contrasts(SCENARIOS["valor_trial"]) == [("tofersen", "placebo")]
    assert contrasts(SCENARIOS["prevention"])[-1] == ("early_start", "delayed_start")
    assert amount(SCENARIOS["prevention"], "early_start") > amount(SCENARIOS["prevention"], "delayed_start")
    other = SCENARIOS["valor"].replace({"control": "delayed_start"})
    assert contrasts(other) == [
        ("untreated", "delayed_start"),
        ("early_start", "delayed_start"),
        ("early_start", "untreated"),
    ]
    assert plan.plan(other.replace({"control": "early_start"}), plan.TrialOptions()).arms == (
        "delayed_start",
        "early_start",
    )


def test_a_control_that_is_no_arm_is_refused_and_goes_with_its_arm():
    with pytest.raises(ScenarioError, match=r"control: there is no arm early. Did you mean early_start\?"):
        SCENARIOS["valor"].replace({"control": "early"})
    named = SCENARIOS["valor"].replace({"control": "untreated"})
    later = named.replace({"arms": {"a": [], "b": [{"treatments": ["tofersen"], "from_day": 0}]}, "trial": None})
    assert later.control is None
    assert contrasts(later) == [("b", "a")]
    assert parse(named.resolved_yaml().encode(), "again.yaml") == named


def test_days_are_those_that_the_scenario_asks_about_or_whole_years_and_the_last():
    assert named_days(SCENARIOS["valor"]) == (196, 364, 1036)
    assert named_days(SCENARIOS["worth_treating"]) == named_days(SCENARIOS["case_a"]) == ()
    assert named_days(SCENARIOS["start_delay"]) == (1096,)
    record = make_record(9)
    made = result_of(record, lambda: make_provenance(record, analysis_days=()))
    assert (shown_days(made), main_day(made)) == ((364, 728), 728)
    made = result_of(record, lambda: make_provenance(record, analysis_days=(), named_days=(90.0, 196.0, 5000.0)))
    assert (shown_days(made), main_day(made)) == ((84, 196, 728), 196)


@pytest.fixture(scope="module")
def result():
    return simulate(SCENARIOS["valor"], patients=40)


def test_headline_pictures_and_tables_use_the_arm_and_the_days_that_are_asked_for(result):
    last = float(result.time[-1])
    assert shown_days(result) == (196, 364, 1036, last)
    other = asking(result, "early_start", (84,))
    assert shown_days(other) == (84, last)
    assert other.control == "early_start"
    rows, usual = ({(r.metric, r.arm, r.against, r.day, r.group): r for r in headline(x).rows} for x in (other, result))
    pairs = {key[1:3] for key in rows if key[2]}
    assert pairs == {("untreated", "early_start"), ("delayed_start", "early_start")}
    key = ("alsfrs_r_change_as_if_alive", "untreated", "early_start", last, "")
    assert rows[key].estimate == -usual[key[0], key[2], key[1], *key[3:]].estimate
    for arm, days, fact in (("earlystart", None, "Did you mean early_start"), (None, (85,), "no day of output")):
        with pytest.raises(SelectionError, match=fact):
            asking(result, arm, days)


def test_what_cannot_be_shown_is_refused_before_anything_is_simulated(tmp_path):
    for words, fact in (
        (["--against", "nobody"], "there is no arm 'nobody'. Arms: untreated, early_start, delayed_start"),
        (["--days", "50"], "day 50 is no day of output. Choose from 28, 56, 84, 112, 140, 168 and others"),
        (["--days", "x"], "write 182,364"),
    ):
        done = CliRunner().invoke(app, ["run", "valor", "-n", "9", "-o", str(tmp_path / "no"), *words])
        assert done.exit_code == 2
        assert fact in re.sub(r"[\s│]+", " ", done.output), done.output
        assert not (tmp_path / "no").exists()


@pytest.mark.slow
def test_the_commands_show_other_pairs_and_days(tmp_path):
    def rows(*words):
        done = CliRunner().invoke(app, [*map(str, words), "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)["rows"]

    a, b = tmp_path / "a", tmp_path / "b"
    asked = ("--against", "placebo", "--days", "84")
    for found in (rows("run", "valor_trial", "-n", 20, "-o", a, *asked), rows("show", a, *asked)):
        assert {row["day"] for row in found} == {84, 210}
    assert {row["against"] for row in rows("show", a, "--against", "tofersen")} == {"", "tofersen"}
    rows("run", "valor_trial", "-n", 20, "--seed", 2, "-o", b)
    assert {row["day"] for row in rows("compare", a, b, "--days", 84)} == {84, 210}
    for words in (("report", a, "--against", "tofersen"), ("plot", a, "benefit", "--against", "tofersen")):
        assert CliRunner().invoke(app, list(map(str, words))).exit_code == 0
