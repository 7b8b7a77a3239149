"""Studies: headline, contrasts, and what a repetition finds, from synthetic results."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from simulator.cli import tables
from simulator.measures.headline import headline
from simulator.results import name
from simulator.studies.replay import deviations
from simulator.tables.files import without_nan
from tests.support.synthetic import ARMS, make_provenance, make_record


def test_deviations_name_variable_cells_and_size():
    record = make_record(20)
    stored = name(record, lambda: make_provenance(record))
    changed = record.truth["svc"].copy()
    changed[0, 3, 4] += 0.5
    changed[1, 2, 1] -= 2.0
    truth = {**record.truth, "svc": changed}
    del truth["hhd"]
    fresh = name(replace(record, truth=truth), lambda: make_provenance(record))
    found = {one.variable: one for one in deviations(stored, fresh)}
    assert set(found) == {"svc", "hhd"}
    assert (found["svc"].group, found["svc"].cells) == ("truth", 2)
    assert found["svc"].largest == pytest.approx(2.0, rel=1e-5)
    assert found["hhd"].fact == "only in the stored result"
    assert {one.variable: one.fact for one in deviations(fresh, stored)}["hhd"] == "only in the new result"
    assert deviations(stored, stored) == []
    shorter = name(make_record(19), lambda: make_provenance(record))
    assert "is now" in {one.variable: one for one in deviations(stored, shorter)}["svc"].fact


def test_nan_that_becomes_a_number_is_a_deviation():
    record = make_record(20)
    stored = name(record, lambda: make_provenance(record))
    death = np.where(np.isnan(record.events["death_time"]), 700.0, record.events["death_time"])
    fresh = name(replace(record, events={**record.events, "death_time": death}), lambda: make_provenance(record))
    (found,) = deviations(stored, fresh)
    assert (found.variable, found.cells) == ("death_time", int(np.isnan(record.events["death_time"]).sum()))


def test_headline_against_numpy():
    record = make_record(200)
    rows = {
        (row.kind, row.metric, row.arm, row.against): row
        for row in headline(name(record, lambda: make_provenance(record))).rows
        if row.day == 364 and not row.group
    }
    at = list(record.time).index(364)
    x, base = record.truth["alsfrs_r"][..., at].astype(float), record.truth["alsfrs_r"][..., 0].astype(float)
    alive = ~(record.events["death_time"] <= 364)
    free = record.events["event_free_time"] > 364
    zero = np.where(alive, x, 0) - base
    expected = {
        "alsfrs_r_change_as_if_alive": (x - base)[1].mean(),
        "alsfrs_r_change_survivors": (x - base)[1, alive[1]].mean(),
        "alsfrs_r_change_death0": zero[1].mean(),
        "event_free": 100 * free[1].mean(),
        "event_free_months": np.minimum(record.events["event_free_time"][1], 364).mean() / 30.4375,
    }
    for metric, value in expected.items():
        assert rows["arm", metric, "early_start", ""].estimate == pytest.approx(value)
    difference = zero[1] - zero[0]
    found = rows["difference", "alsfrs_r_change_death0", "early_start", "untreated"]
    assert found.estimate == pytest.approx(difference.mean())
    assert found.mcse == pytest.approx(difference.std(ddof=1) / np.sqrt(200))
    both = alive[0] & alive[1]
    found = rows["difference", "alsfrs_r_change_survivors_of_both", "early_start", "untreated"]
    assert found.estimate == pytest.approx((x[1] - x[0])[both].mean())
    nfl = np.log(record.truth["nfl_plasma"])
    ratio = np.exp((nfl[..., at] - nfl[..., 0])[1, alive[1]].mean())
    assert rows["arm", "nfl_plasma_ratio", "early_start", ""].estimate == pytest.approx(ratio, rel=1e-5)


def test_strata_in_the_headline():
    record = make_record(200)
    rows = headline(name(record, lambda: make_provenance(record))).rows
    at, faster = list(record.time).index(364), record.patients["stratum"] == 0
    assert 0 < faster.sum() < 200
    x = record.truth["alsfrs_r"].astype(float)
    change = (x[..., at] - x[..., 0])[:, faster]
    here = [row for row in rows if row.day == 364 and row.group == "faster"]
    found = {(row.metric, row.arm, row.against): row for row in here}
    assert {row.metric for row in here} == {"alsfrs_r_change_as_if_alive", "event_free"}
    assert found["alsfrs_r_change_as_if_alive", "early_start", ""].estimate == pytest.approx(change[1].mean())
    difference = found["alsfrs_r_change_as_if_alive", "early_start", "untreated"]
    assert difference.estimate == pytest.approx((change[1] - change[0]).mean())
    assert (difference.n, difference.paired) == (faster.sum(), True)
    free = (record.events["event_free_time"][1] > 364)[faster].mean()
    assert found["event_free", "early_start", ""].estimate == pytest.approx(100 * free)
    assert list(dict.fromkeys(row.group for row in rows)) == ["", "faster", "slower"]


def test_many_arms():
    record = make_record(20)
    found = headline(name(record, lambda: make_provenance(record)))
    arms = ("untreated", *(f"arm_{k}" for k in range(4)))
    rows = [
        row._replace(arm=arm, against=against)
        for row in found.rows
        if (row.arm, row.against) == ("untreated", "")
        for arm, against in [*((arm, "") for arm in arms), *((arm, "untreated") for arm in arms[1:])]
    ]
    text = tables.headline_text(found._replace(arms=arms, rows=rows))
    assert "arm_3 vs untreated" in text  # by name where as many days fit as with letters
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.slow
def test_long_names_and_many_days_fit_too():
    record = replace(make_record(20), arms=("untreated", "early " * 10, "late"), strata=("faster " * 8, "slower"))
    made = name(record, lambda: make_provenance(record, analysis_days=tuple(range(28, 729, 84))))
    text = tables.headline_text(headline(made))
    assert max(map(len, text.splitlines())) <= 80
    assert {f"day {day}" for day in range(28, 729, 84)} <= set(re.findall(r"day \d+", text))
    many = {"candidates": 50, "rejected": [(f"stratum number {k}", "svc_percent >= 65", 3) for k in range(9)]}
    text = tables.headline_text(headline(made)._replace(screening=many))
    assert max(map(len, text.splitlines())) <= 80
    assert re.search(r"svc_percent >= 65 +27$", text, re.MULTILINE)


@pytest.mark.slow
def test_survival_from_onset_only_where_everybody_enters_at_onset():
    entry = headline(name(make_record(100), lambda: make_provenance(make_record(4))))
    assert not [row for row in entry.rows if row.kind == "onset"]
    record = make_record(100, at_onset=True)
    onset = headline(name(record, lambda: make_provenance(record)))
    rows = [row for row in onset.rows if row.kind == "onset" and row.metric.endswith("median")]
    assert {(row.arm, row.group) for row in rows} == {(arm, v) for arm in ARMS for v in ("p.Ala5Val", "other")}
    mine = next(row for row in rows if (row.arm, row.group) == ("untreated", "other"))
    time = np.sort(record.events["event_free_time"][0, record.patients["variant"] == 1])
    assert mine.estimate * 30.4375 == pytest.approx(time[24])
    assert "From onset, by variant" in tables.headline_text(onset)
    assert "not reached" in tables.headline_text(onset)
    json.dumps(without_nan(onset), allow_nan=False)


def test_who_reaches_the_end_without_event_is_event_free():
    record = make_record(50)
    found = headline(name(record, lambda: make_provenance(record, analysis_days=(728.0,))))
    row = next(row for row in found.rows if (row.metric, row.arm) == ("event_free", "early_start"))
    assert row.estimate == pytest.approx(100 * (record.events["event"][1] == 0).mean())
    assert 0 < row.estimate < 100


@pytest.mark.parametrize(("value", "text"), [(-0.0, "0.00"), (-0.004, "0.00"), (-0.006, "-0.01"), (-12.3, "-12.30")])
def test_zero_has_no_minus_sign(value, text):
    assert tables.fixed(value, 2) == text


def test_control_characters_do_not_reach_the_terminal():
    record = replace(make_record(10), title="bad \x1b[31m title", warnings=["\x1b]0;x\x07"])
    text = tables.headline_text(headline(name(record, lambda: make_provenance(record))))
    assert "\x1b" not in text
    assert "\x07" not in text
