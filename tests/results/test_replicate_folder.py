"""A folder of `trial --replicate K` is the replicate: analysed as any result is, it gives what was printed."""

import numpy as np
import pytest

import simulator as sim
from simulator.analysis.trial.data import since, until
from simulator.analysis.trial.reading import Contrast, from_result
from simulator.analysis.trial.registry import ANALYSES
from simulator.studies.replay import replay
from simulator.studies.trial.plan import TrialOptions
from simulator.studies.trial.request import TrialRequest, replicate_to_folder
from simulator.studies.trial.study import Extent

NAMES = ("ancova", "joint_rank", "responder")
LEAD_IN = {"trial.lead_in": {"days": 84, "eligible": {"alsfrs_r_lost": {"min": 1}}}, "visits.every_days": 28}
DESIGNS = {
    "counts of one stratum": ("valor_trial", [], TrialOptions(NAMES)),
    "counts of both strata": ("valor_extension", [], TrialOptions(NAMES, days=[196, 364])),
    "a ratio": ("valor", [], TrialOptions(NAMES, days=[196])),
    "another size": ("valor_trial", [], TrialOptions(NAMES, size=40)),
    "a lead-in": ("lead_in", [], TrialOptions(NAMES)),
    "a lead-in and counts": (
        "lead_in",
        ["trial.size=null", "trial.allocation=null", "trial.block_size=null",
         "trial.counts={all: {treated: 30, placebo: 15}}"],
        TrialOptions(NAMES),
    ),
    "a lead-in and counts of two strata": (
        "valor",
        ["trial.size=null", "trial.allocation=null", "trial.lead_in={days: 84, eligible: {alsfrs_r_lost: {min: 1}}}",
         "trial.analysis_days=[280]", "arms.early_start=[{treatments: [tofersen], from_day: 84}]",
         "trial.counts={faster: {early_start: 20, delayed_start: 10}, slower: {early_start: 9, delayed_start: 9}}"],
        TrialOptions(NAMES, arms=("early_start", "delayed_start")),
    ),
    "looks": ("group_sequential", [], TrialOptions(NAMES)),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS)
def test_a_folder_is_the_replicate(design, tmp_path):
    name, settings, asked = DESIGNS[design]
    request = TrialRequest(name, asked, Extent(1, 7), tuple(settings), folder=tmp_path / "one", threads=1)
    folder, printed = replicate_to_folder(request, 3)
    result, scenario = sim.open(folder), sim.load(folder / "scenario.resolved.yaml")
    arms = [arm for arm in result.arms if arm in set(result.groups["patients"]["allocated_arm"].values)]
    treated = max(arms, key=lambda arm: sum((epoch.to_day or 9999) - epoch.from_day for epoch in scenario.arms[arm]))
    control = next(arm for arm in arms if arm != treated)
    data = from_result(result.groups, Contrast(treated, control))
    data = since(data, scenario.trial.randomised_on) if scenario.trial.randomised_on else data
    assert printed
    for row in printed:
        found = ANALYSES[row["analysis"]].run(until(data, row["day"]))._asdict()
        for key in ("value", "se", "lower", "upper", "p", "n"):
            np.testing.assert_array_equal(row[key], found[key], err_msg=f"{row['analysis']} {key}")
    assert replay(folder).equal
