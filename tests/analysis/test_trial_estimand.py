"""Estimands: each analysis says what it estimates; a scenario that wants something else is refused beforehand."""

import pytest

import simulator as sim
from simulator import strategies as table
from simulator.analysis.trial import registry
from simulator.analysis.trial.errors import AnalysisError
from simulator.analysis.trial.estimand import DEATH, PAV, IntercurrentEvent, Strategy, death, estimand
from simulator.analysis.trial.registry import ANALYSES, agree
from simulator.cli.trial_tables import trial_text
from simulator.language import ScenarioError
from simulator.studies.trial import study
from simulator.studies.trial.estimands import estimand_of, estimated_by
from simulator.studies.trial.plan import TrialError, TrialOptions, plan

BLOCK = {
    "population": "all randomised participants",
    "treatment": "tofersen against placebo",
    "variable": "rank by survival, then function",
    "intercurrent_events": {"death": {"strategy": "composite"}, "stopping": {"strategy": "treatment_policy"}},
    "summary": "net benefit",
}


def wanting(death: str, **more):
    """A trial that wants an estimand with a strategy for death, and others."""
    events = {"death": {"strategy": death}} | {key: {"strategy": value} for key, value in more.items()}
    return sim.load("valor_trial").replace({"estimand": BLOCK | {"intercurrent_events": events}})


def strategies(found) -> dict:
    return {one.event: one.strategy for one in found.intercurrent_events}


@pytest.mark.parametrize(
    ("strategy", "name"),
    [("composite", "joint_rank"), ("while_alive", "rate_ratio"), ("principal_stratum", "ancova")],
)
def test_an_estimand_and_its_analysis(strategy, name):
    scenario = wanting(strategy)
    assert plan(scenario, TrialOptions((name,))).analyses == (name,)
    assert estimand_of(scenario).death == strategy.replace("_", " ")
    other = next(one.name for one in ANALYSES.values() if one.estimand.death != ANALYSES[name].estimand.death)
    with pytest.raises(ScenarioError, match=rf"{other} handles death as .*, not as .*\. Write .*{name}") as info:
        plan(scenario, TrialOptions((name, other)))
    (fault,) = info.value.errors
    assert fault.address == "estimand.intercurrent_events.death"
    assert fault.file == "valor_trial.yaml"


def test_hypothetical_is_flagged():
    found = sim.trial(wanting("hypothetical"), replicates=1, analyses=["mmrm"], truth=0, null=False, threads=1)
    assert any("the scenario's estimand" in text and "cannot exist" in text for text in found.warnings)
    assert found.estimand["intercurrent_events"][0] == {"event": "death", "strategy": "hypothetical", "words": ""}
    assert found.estimands["mmrm"]["summary"] == ANALYSES["mmrm"].estimand.summary


def test_an_analysis_that_the_estimand_names_is_the_only_one_held_to_it():
    scenario = wanting("composite")
    named = scenario.replace({"estimand.analysis": "joint_rank"})
    assert plan(named, TrialOptions(("joint_rank", "ancova"))).analyses == ("joint_rank", "ancova")
    with pytest.raises(ScenarioError, match=r"estimand\.analysis: there is no analysis ancva\. Did you mean ancova"):
        scenario.replace({"estimand.analysis": "ancva"})
    with pytest.raises(ScenarioError, match="ancova handles death as principal stratum, not as composite"):
        scenario.replace({"estimand.analysis": "ancova"})


def test_other_events_are_dealt_with_by_using_what_is_measured():
    with pytest.raises(ScenarioError, match="uses what is measured after stopping treatment"):
        wanting("composite", stopping="hypothetical")


def test_ventilation_is_part_of_the_event_or_not():
    both, only = TrialOptions(("joint_rank",)), TrialOptions(("joint_rank",), endpoint="death")
    plan(wanting("composite", pav="composite"), both)
    plan(wanting("composite", pav="treatment_policy"), only)
    for wrong, asked, remedy in (("treatment_policy", both, "death"), ("composite", only, "event_free")):
        with pytest.raises(ScenarioError, match=f"take the endpoint {remedy}"):
            plan(wanting("composite", pav=wrong), asked)


@pytest.mark.parametrize("name", ANALYSES)
def test_each_says_what_it_estimates(name):
    for endpoint in ("event_free", "death"):
        found = strategies(estimated_by(name, endpoint))
        assert found[DEATH] is table.of_death()[name]
        composite = found[DEATH] is Strategy.COMPOSITE and endpoint == "event_free"
        assert (found.get(PAV.event) is Strategy.COMPOSITE) == composite


def test_an_event_that_is_not_in_the_table_is_named_as_it_is():
    rescue = IntercurrentEvent("rescue medication", Strategy.HYPOTHETICAL, "as if not taken")
    wanted = estimand("rank", "net benefit", death(Strategy.COMPOSITE, "worst rank"), rescue)
    with pytest.raises(AnalysisError, match="joint_rank uses what is measured after rescue medication"):
        agree("joint_rank", wanted)
    used = rescue._replace(strategy=Strategy.TREATMENT_POLICY)
    agree("joint_rank", estimand("rank", "net benefit", death(Strategy.COMPOSITE, "worst rank"), used))


def test_what_cannot_be_measured_on_ventilation_is_not_said_to_be():
    """SVC is missing from then on as after death; ALSFRS-R is used as measured."""
    for name in ("mmrm", "ancova", "rate_ratio"):
        of = {outcome: estimated_by(name, "event_free", outcome) for outcome in ("alsfrs_r", "svc")}
        event = {key: next(one for one in found.intercurrent_events if one.event == PAV.event)
                 for key, found in of.items()}  # fmt: skip
        assert event["alsfrs_r"] == PAV
        assert event["svc"].strategy is of["svc"].death
    written = wanting("hypothetical", pav="hypothetical")
    plan(written, TrialOptions(("mmrm",), outcome="svc"))
    with pytest.raises(ScenarioError, match="mmrm uses what is measured after permanent assisted ventilation"):
        plan(written, TrialOptions(("mmrm",)))
    with pytest.raises(ScenarioError, match="on which svc cannot be measured, as hypothetical, not as treatment"):
        plan(wanting("hypothetical", pav="treatment_policy"), TrialOptions(("mmrm",), outcome="svc"))


@pytest.fixture
def new(monkeypatch) -> str:
    """An analysis that is in the registry and nowhere else."""
    known = registry.ANALYSES
    monkeypatch.setattr(registry, "ANALYSES", {**known, "new": known["ancova"]._replace(name="new", truth=None)})
    return "new"


def test_an_analysis_without_a_truth_is_refused_at_once(new, monkeypatch):
    monkeypatch.setattr(study, "run", None)  # nothing may be simulated
    with pytest.raises(TrialError, match=r"^no truth is known for new\. .*--truth 0"):
        sim.trial(sim.load("valor_trial"), replicates=2, analyses=["ancova", new])


def test_without_a_truth_it_runs(new):
    asked = {"replicates": 2, "truth": 0, "null": False}
    found = sim.trial(sim.load("valor_trial"), analyses=["ancova", new], **asked)
    assert (found.estimates(new)["value"] == found.estimates("ancova")["value"]).all()
    assert "new" in trial_text(found)
