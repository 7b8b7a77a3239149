"""Replicates over draws of the parameters: their power is assurance, and what shares a draw is not independent."""

import numpy as np
import pytest

import simulator as sim
from simulator.analysis.replicates import mean, mean_known, share
from simulator.cli.trial_tables import trial_document, trial_text
from simulator.report.trial import trial_content

DRAWS, REPLICATES = 5, 40
ASKED = {"analyses": ["ancova"], "draws": DRAWS, "replicates": REPLICATES, "null": True, "seed": 2}


@pytest.fixture(scope="module")
def drawn() -> sim.Trial:
    return sim.trial(sim.load("valor_trial"), truth=20_000, power=[0.5], sizes=[20, 60], **ASKED)


@pytest.mark.slow
def test_replicates_of_a_draw_are_a_cluster(drawn):
    draw = np.arange(REPLICATES) % DRAWS
    found = drawn.estimates("ancova")
    claims = (found["p"] <= 0.05) & (found["value"] > 0)
    assert drawn.measure("ancova", "power") == share(claims, draw)
    assert drawn.mean("ancova") == mean_known(found["value"], draw)
    by_draw = mean([found["value"][draw == k].mean() for k in range(DRAWS)])  # draws are as large as each other
    assert drawn.mean("ancova") == pytest.approx(by_draw)
    assert drawn.power("ancova")[60].mcse == pytest.approx(share(claims, draw).mcse)
    assert drawn.groups["interim" if "interim" in drawn.groups else "counts"]
    events = drawn.groups["counts"]["events"].values[:, 0, 0]
    assert drawn.count("events", 0) == mean(events, draw)


def test_the_truth_over_draws_has_the_error_over_draws(drawn):
    values = drawn.groups["truth"]["value"].values[:, 0, 0]
    assert drawn.truth("ancova") == mean(values)
    assert drawn.truth("ancova").mcse > drawn.groups["truth"]["mcse"].values.max()
    assert drawn.fact("change_as_if_alive").mcse > 0


@pytest.mark.slow
def test_the_spread_of_the_estimates_does_not_depend_on_the_truth(drawn):
    without = sim.trial(sim.load("valor_trial"), truth=0, **ASKED)
    for key in ("empirical_se", "model_se", "relative_error", "power", "estimable"):
        assert without.measure("ancova", key) == drawn.measure("ancova", key)
    assert drawn.measure("ancova", "empirical_se").value == pytest.approx(
        np.nanstd(drawn.estimates("ancova")["value"], ddof=1)
    )


@pytest.mark.slow
def test_averaged_power_is_called_assurance(drawn):
    text = " ".join(trial_text(drawn).split())
    assert "assurance, %" in text
    assert "participants needed for an assurance of" in text
    assert "averaged over 5 vectors of the parameters" in text
    assert "power" not in text
    document = trial_document(drawn)
    assert document["analyses"][0]["assurance"] == drawn.measure("ancova", "power")._asdict()
    metrics = {row.metric for row in drawn.summary_rows()}
    assert {"assurance", "assurance_60"} <= metrics
    assert not any(metric.startswith("power") for metric in metrics)
    assert "assurance" in str(trial_content(drawn).main)
    assert "assurance, %" in drawn._repr_html_()


def test_intervals_reach_as_far_as_few_draws_make_them(drawn):
    row = next(row for row in drawn.summary_rows() if row.metric == "mean")
    assert (row.upper - row.estimate) / row.mcse == pytest.approx(2.776, abs=1e-3)  # t with 4 degrees of freedom
