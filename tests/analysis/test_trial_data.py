"""Data of trials and estimands: what is refused, what a result and a table become, names people type."""

import sys
from copy import copy
from subprocess import run
from typing import NamedTuple

import numpy as np
import pytest

from simulator.analysis.trial.ancova import ancova, ancova_nfl
from simulator.analysis.trial.data import TrialData, trial_data, until, where
from simulator.analysis.trial.delayed_start import delayed_start
from simulator.analysis.trial.errors import AnalysisError, NotEstimableError
from simulator.analysis.trial.estimand import PAV, STOPPING, Strategy, death, estimand
from simulator.analysis.trial.mi import mi
from simulator.analysis.trial.reading import Contrast, from_result, from_tables
from simulator.analysis.trial.registry import ANALYSES, agree, analysis
from simulator.analysis.trial.rmst import rmst
from simulator.datasets import DataError
from simulator.strategies import OTHER_NAMES
from simulator.studies.trial.plan import check_options
from simulator.studies.trial.request import parse_options
from tests.support.trials import invented

ARMS = Contrast("early_start", "delayed_start")
TYPED = (
    *("ancova", "ancova_nfl", "mi", "controlled_mi", "mmrm", "random_slope", "joint_rank", "joint_rank_ancova"),
    *("joint_rank_mi", "win_ratio", "logrank", "stratified_logrank", "cox", "rmst", "responder", "delayed_start"),
    *("rate_ratio", "ancova_prognostic", "mmrm_prognostic", "ancova_map", "ancova_commensurate", "ancova_twins"),
    *("event_rate_map", "event_rate_commensurate", "rate_ratio_posterior"),
)
SMALL = {
    "arm": [1, 0, 1],
    "nominal_day": [0, 28],
    "outcome": [[40, 39], [41, np.nan], [38, 37]],
    "time": [28, 20, 28],
    "event": [False, True, False],
}


# ---- estimands ----


def test_the_names_that_people_type():
    assert tuple(ANALYSES) == TYPED
    with pytest.raises(AnalysisError, match=r"no analysis 'ancva'\. Did you mean ancova\? Analyses: ancova, "):
        analysis("ancva")


@pytest.mark.parametrize("other", OTHER_NAMES)
def test_other_names_lead_to_an_analysis_and_options_that_it_has(other):
    with pytest.raises(AnalysisError, match=f"no analysis '{other.upper()}'. Write ") as found:
        analysis(other.upper())
    name, _, options = str(found.value).split("Write ")[1].partition(", with --option ")
    assert other not in ANALYSES
    for text in filter(None, options.split(" and ")):
        check_options(name, parse_options([text])[name])
    assert name in ANALYSES


@pytest.mark.parametrize("name", TYPED)
def test_every_analysis_states_its_estimand(name):
    one = ANALYSES[name]
    found = one.run(invented(1))
    assert found.estimand.death is one.estimand.death
    assert found.estimand.population
    assert found.estimand.treatment
    assert found.estimand.variable == one.estimand.variable
    assert found.estimand.summary
    assert found.method
    assert bool(one.estimand.flags) == (one.estimand.death is Strategy.HYPOTHETICAL)
    agree(name, one.estimand)


def test_death_has_no_treatment_policy():
    with pytest.raises(AnalysisError, match="treatment policy cannot be a strategy for death"):
        estimand("change", "difference", death(Strategy.TREATMENT_POLICY, "as measured"), STOPPING)


@pytest.mark.parametrize("events", [(), (STOPPING, PAV), (death(Strategy.COMPOSITE, "worst"),) * 2])
def test_an_estimand_says_once_what_death_means(events):
    with pytest.raises(AnalysisError, match="name each once, and death among them"):
        estimand("change", "difference", *events)


def test_an_estimand_that_contradicts_its_analysis():
    wanted = estimand("rank", "net benefit", death(Strategy.COMPOSITE, "worst rank"))
    agree("joint_rank", wanted)
    with pytest.raises(
        AnalysisError, match=r"ancova handles death as principal stratum, not as composite\. .*joint_rank"
    ):
        agree("ancova", wanted)


# ---- data ----


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"arm": [1, 2, 0]}, "trial_data:2:arm: 2 is neither 1 nor 0"),
        ({"arm": ["a", "b", "a"]}, r"trial_data:1:arm: a is neither .* \(rows 2, 3 too\)"),
        ({"arm": [1, np.nan, 0]}, "arm is missing in row 2"),
        ({"arm": [1, 1, 1]}, "both must have participants"),
        ({"nominal_day": [28, 56]}, "rise from 0"),
        ({"nominal_day": [0, 0]}, "rise from 0"),
        ({"time": [28, np.nan, 28]}, "negative or missing"),
        ({"time": [28, 28]}, r"time has the shape \(2,\)"),
        ({"time": [28, np.inf, 28]}, "trial_data:2:time: inf is infinite"),
        ({"event": [1, 2, 1]}, "trial_data:2:event: 2 is neither 1 nor 0, yes nor no. Which of 1 and 2 is yes is not"),
        ({"event": [1, np.nan, 1]}, "event is missing in row 2"),
        ({"event": ["no", "False", "maybe"]}, "trial_data:3:event: maybe is neither"),
        ({"stratum": [0, 1]}, "stratum has the shape"),
        ({"stratum": [0, 0.5, 1]}, "trial_data:2:stratum: 0.5 is no whole number"),
        ({"stratum": [0, np.nan, 1]}, "stratum is missing in row 2"),
        ({"stratum": ["a", "b", "a"]}, "trial_data:1:stratum: a is no number"),
        ({"outcome": [[40, 39], [41, np.inf], [38, 37]]}, "trial_data:2:outcome: inf is infinite"),
        ({"outcome": [40, 39, 41]}, r"outcome has the shape \(3,\)\. With 3 participants it must be \(3, 2\)"),
        ({"day": [[0, 28], [0, 28], [0, "late"]]}, "trial_data:3:day: late is no number"),
        ({"covariates": {"log_nfl": [1.0]}}, "log_nfl has the shape"),
    ],
)
def test_wrong_data_are_refused(change, message):
    trial_data(**SMALL)
    with pytest.raises((AnalysisError, DataError), match=message):
        trial_data(**{**SMALL, **change})


def test_words_for_yes_and_no_are_events():
    assert trial_data(**{**SMALL, "event": ["no", "Yes", "FALSE"]}).event.tolist() == [False, True, False]


def test_what_cannot_be_analysed_is_said():
    data = trial_data(**SMALL)
    with pytest.raises(AnalysisError, match="no visit after baseline is planned by day 20"):
        until(data, 20)
    with pytest.raises(AnalysisError, match="no covariate log_nfl; they have none"):
        ancova_nfl(data)
    with pytest.raises(NotEstimableError, match="2 participants cannot determine 3 coefficients"):
        ancova(data)
    with pytest.raises(AnalysisError, match="beyond the follow-up of an arm, 20 d"):
        rmst(data, horizon=28)
    with pytest.raises(AnalysisError, match=r"imputations are out of range\. Ask for 2 to 10,000"):
        mi(data, imputations=1)
    with pytest.raises(AnalysisError, match="needs visits before and after it"):
        delayed_start(invented(1), kept_share=0.5, switch_day=400)


def test_when_nobody_responds():
    found = ANALYSES["responder"].run(invented(1), least_change=40.0)
    assert (found.value, found.se, found.p) == (0.0, 0.0, 1.0)
    assert found.lower < 0 < found.upper
    assert np.isnan(found.z)


def test_a_subgroup_keeps_everything():
    data = invented(1)
    rows = data.stratum == 1
    part = where(data, rows)
    assert part.n == rows.sum()
    np.testing.assert_array_equal(part.covariate("log_nfl"), data.covariate("log_nfl")[rows])
    assert part.outcome.shape == (part.n, 8)


# ---- reading ----


class Values(NamedTuple):
    """An array of a result, as far as reading needs it."""

    values: np.ndarray


def groups() -> dict:
    """Four participants, two visits after baseline, three arms; the last participant is in the third arm."""
    shape = (3, 4)
    nothing = np.full(shape, np.nan)
    score = np.arange(36.0).reshape(3, 4, 3)
    dropout = nothing.copy()
    dropout[:, 1] = 40
    death_time = nothing.copy()
    death_time[1, 0], death_time[2, 1] = 30, 45
    time = np.full(shape, 60.0)
    time[1, 0], time[2, 1], time[2, 2] = 30, 45, 50
    event = np.zeros(shape)
    event[1, 0], event[2, 1], event[2, 2] = 1, 1, 2
    tables = {
        "patients": {
            "allocated_arm": np.array(["early_start", "delayed_start", "delayed_start", "untreated"]),
            "stratum": np.array(["slower", "faster", "faster", "slower"]),
        },
        "observed": {
            "arm": np.array(["untreated", "early_start", "delayed_start"]),
            "nominal_day": np.array([0.0, 28.0, 56.0]),
            "day": np.broadcast_to([0.0, 27.0, 58.0], score.shape),
            "alsfrs_r": score,
            "nfl_plasma": np.exp(score),
        },
        "events": {
            "event_free_time": time,
            "event": event,
            "death_time": death_time,
            "dropout_time": dropout,
            "followup_time": np.full(shape, 60.0),
        },
    }
    return {name: {key: Values(array) for key, array in group.items()} for name, group in tables.items()}


def test_a_result_becomes_what_the_trial_saw():
    data = from_result(groups(), ARMS)
    np.testing.assert_array_equal(data.arm, [1, 0, 0])
    np.testing.assert_array_equal(data.stratum, [1, 0, 0])
    np.testing.assert_array_equal(data.outcome, [[12, 13, 14], [27, 28, 29], [30, 31, 32]])
    np.testing.assert_array_equal(data.day[0], [0, 27, 58])
    np.testing.assert_array_equal(data.time, [30, 40, 50])  # the second left before the event
    np.testing.assert_array_equal(data.event, [True, False, True])
    np.testing.assert_allclose(data.covariate("log_nfl"), [12, 27, 30])
    deaths = from_result(groups(), ARMS, endpoint="death")
    np.testing.assert_array_equal(deaths.time, [30, 40, 60])
    np.testing.assert_array_equal(deaths.event, [True, False, False])


def test_what_a_result_does_not_have():
    whole = groups()
    with pytest.raises(AnalysisError, match=r"no arm 'early'\. Did you mean early_start\? Arms: untreated"):
        from_result(whole, Contrast("early", "delayed_start"))
    with pytest.raises(AnalysisError, match="no endpoint 'pav'"):
        from_result(whole, ARMS, endpoint="pav")
    with pytest.raises(AnalysisError, match="no variable svc"):
        from_result(whole, ARMS, outcome="svc")
    del whole["patients"]["allocated_arm"]
    with pytest.raises(AnalysisError, match="no variable allocated_arm"):
        from_result(whole, ARMS)
    with pytest.raises(AnalysisError, match="it holds a summary only"):
        from_result({"summary": {}}, ARMS)


def bounded() -> TrialData:
    """An invented trial in which nobody scores more than 48."""
    data = invented(3)
    return data._replace(outcome=np.minimum(data.outcome, 48.0))


def tables() -> tuple[dict, dict, dict]:
    """The data of `bounded()` as three tables, with rows of other parameters and of a screening failure."""
    data = bounded()
    names = np.array([f"S{i:03d}" for i in range(data.n)])
    person, visit = np.nonzero(np.isfinite(data.outcome))
    day = data.day[person, visit]
    planned = np.where(data.treated, ARMS.experimental, ARMS.control)
    adsl = {
        "USUBJID": np.append(names, "S999"),
        "TRT01P": np.append(planned, "not assigned"),
        "STRATA1": np.append(np.array(["faster", "slower"])[data.stratum], "faster"),
        "LOGNFL": np.append(data.covariate("log_nfl"), np.nan),
    }
    adqs = {
        "USUBJID": np.append(names[person], ["S000", "S999"]),
        "PARAMCD": np.append(np.repeat("ALSFRSR", len(person)), ["SVC", "ALSFRSR"]),
        "AVISITN": np.append(visit, [0, 0]),
        "ADY": np.append(np.where(day >= 0, day + 1, day), [1, 1]),
        "ATPTD": np.append(data.nominal_day[visit], [0, 0]),
        "AVAL": np.append(data.outcome[person, visit], [90, 40]),
    }
    adtte = {
        "USUBJID": np.append(names, "S000"),
        "PARAMCD": np.append(np.repeat("DTHPAV", data.n), "DEATH"),
        "AVAL": np.append(data.time + 1, 5),
        "CNSR": np.append(1 - data.event.astype(int), 0),
    }
    return adsl, adqs, adtte


def test_tables_become_the_same_data():
    data, read = bounded(), from_tables(*tables(), ARMS)
    for name in ("arm", "stratum", "nominal_day", "day", "outcome", "time", "event"):
        np.testing.assert_array_equal(getattr(read, name), getattr(data, name), err_msg=name)
    assert ANALYSES["joint_rank"].run(read) == ANALYSES["joint_rank"].run(data)
    assert ancova_nfl(read)[:6] == ancova_nfl(data)[:6]


def changed(table: str, column: str, row: int, value: object) -> tuple[dict, dict, dict]:
    """The tables with one cell changed."""
    found = dict(zip(("ADSL", "ADQS", "ADTTE"), tables(), strict=True))
    cells = np.asarray(found[table][column]).astype(object)
    cells[row - 1] = value
    found[table][column] = cells
    return found["ADSL"], found["ADQS"], found["ADTTE"]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (("ADTTE", "CNSR", 3, None), "ADTTE:3:CNSR: whether there was the event is missing"),
        (("ADTTE", "CNSR", 3, "no"), "ADTTE:3:CNSR: no is no number"),
        (("ADTTE", "CNSR", 3, 0.5), "ADTTE:3:CNSR: 0.5 is no whole number"),
        (("ADTTE", "CNSR", 3, -1), "ADTTE:3:CNSR: -1 is outside 0 or more"),
        (("ADTTE", "AVAL", 4, "12 days"), "ADTTE:4:AVAL: 12 days is no number"),
        (("ADTTE", "AVAL", 4, np.inf), "ADTTE:4:AVAL: inf is infinite"),
        (("ADTTE", "AVAL", 4, 0), "ADTTE:4:AVAL: 0 is no study day"),
        (("ADTTE", "AVAL", 4, np.nan), "ADTTE:4:AVAL: the time is missing"),
        (("ADTTE", "USUBJID", 2, "S000"), "ADTTE:2:USUBJID: S000 has a second row of event_free"),
        (("ADQS", "AVAL", 5, "39,5"), "ADQS:5:AVAL: 39,5 has a decimal comma. Write a decimal point"),
        (("ADQS", "AVAL", 5, 99), "ADQS:5:AVAL: alsfrs_r of 99 is outside 0 to 48"),
        (("ADQS", "AVAL", 5, True), "ADQS:5:AVAL: True is no number"),
        (("ADQS", "ADY", 6, None), "ADQS:6:ADY: the day is missing"),
        (("ADQS", "ADY", 6, "Week 4"), "ADQS:6:ADY: Week 4 is no number"),
        (("ADQS", "ATPTD", 2, 0.0), "ADQS:2:USUBJID: the participant S000 has a second baseline of alsfrs_r"),
        (("ADSL", "USUBJID", 2, "S000"), "ADSL:2:USUBJID: the participant S000 is there twice"),
        (("ADSL", "USUBJID", 2, None), "ADSL:2:USUBJID: the participant has no id"),
    ],
)
def test_one_error_with_table_row_and_column(cell, message):
    with pytest.raises(DataError) as found:
        from_tables(*changed(*cell), ARMS)
    assert str(found.value).startswith(message)
    assert len(found.value.errors) == 1


def test_all_faults_at_once():
    adsl, adqs, adtte = changed("ADTTE", "CNSR", 3, "no")
    with pytest.raises(DataError) as found:
        from_tables(adsl, {**adqs, "AVAL": changed("ADQS", "AVAL", 5, "x")[1]["AVAL"]}, adtte, ARMS)
    assert [(one.file, one.row, one.column) for one in found.value.errors] == [
        ("ADQS", 5, "AVAL"),
        ("ADTTE", 3, "CNSR"),
    ]


def test_blanks_around_a_word_lose_nobody():
    adsl, adqs, adtte = changed("ADSL", "TRT01P", 2, f"{tables()[0]['TRT01P'][1]} ")
    assert from_tables(adsl, adqs, adtte, ARMS).n == bounded().n


def test_faults_of_tables():
    adsl, adqs, adtte = tables()
    with pytest.raises(DataError, match=r"ADTTE:1:CNSR: there is no column 'CNSR'\. Columns: USUBJID"):
        from_tables(adsl, adqs, {key: x for key, x in adtte.items() if key != "CNSR"}, ARMS)
    with pytest.raises(AnalysisError, match=r"no outcome 'ALSFRS'\. Outcomes: alsfrs_r, svc"):
        from_tables(adsl, adqs, adtte, ARMS, paramcd="ALSFRS")
    with pytest.raises(DataError, match=r"has a second baseline of alsfrs_r"):
        from_tables(adsl, {key: np.append(x, x[:1]) for key, x in adqs.items()}, adtte, ARMS)
    with pytest.raises(AnalysisError, match=r"participant S001 has no time of death\. Add it"):
        from_tables(adsl, adqs, adtte, ARMS, endpoint="DEATH")
    with pytest.raises(DataError, match="the participant S000 is there twice"):
        from_tables({key: np.append(x, x[:1]) for key, x in adsl.items()}, adqs, adtte, ARMS)
    with pytest.raises(
        AnalysisError,
        match=r"no arm 'early'\. Did you mean early_start\? Arms: .*, not assigned",
    ):
        from_tables(adsl, adqs, adtte, Contrast("early", "late"))
    with pytest.raises(AnalysisError, match=r"no arm 'start'.*Arms: delayed_start"):
        from_tables(adsl, adqs, adtte, Contrast("early_start", "start"))
    with pytest.raises(AnalysisError, match="participant S000 has no stratum, others have"):
        from_tables(*changed("ADSL", "STRATA1", 1, ""), ARMS)


def test_planned_days_are_never_guessed():
    """Medians of actual days moved the visit of week 26 beyond day 182."""
    adsl, adqs, adtte = tables()
    planned = adqs.pop("ATPTD")
    with pytest.raises(DataError, match="ADQS:1:ATPTD: ADQS has neither ATPTD"):
        from_tables(adsl, adqs, adtte, ARMS)
    weeks = np.array(["Baseline" if day == 0 else f"Week {day / 7:g}" for day in planned])
    read = from_tables(adsl, {**adqs, "AVISIT": weeks}, adtte, ARMS)
    np.testing.assert_array_equal(read.nominal_day, bounded().nominal_day)
    np.testing.assert_array_equal(read.outcome, bounded().outcome)


@pytest.fixture(scope="module")
def simulated():
    sim = pytest.importorskip("simulator")
    return sim.simulate(sim.load("valor_trial"), patients=160, seed=5)


@pytest.mark.parametrize("endpoint", [("event_free", "DTHPAV"), ("death", "DEATH")])
def test_adam_out_and_in_again_gives_the_same_data(simulated, endpoint):
    arms = Contrast(*(name for name in simulated.arms if "tofersen" in name), "placebo")
    direct = from_result(simulated.groups, arms, endpoint=endpoint[0])
    made = {name: {key: table[key].to_numpy() for key in table} for name, table in simulated.to_adam().items()}
    read = from_tables(made["ADSL"], made["ADQS"], made["ADTTE"], arms, endpoint=endpoint[1])
    for name in ("arm", "stratum", "nominal_day", "day", "outcome", "time", "event"):
        np.testing.assert_array_equal(getattr(read, name), getattr(direct, name), err_msg=name)
    for name in ("log_nfl", "months_since_onset", "female", "bulbar", "progression_rate", "baseline_alsfrs_r"):
        np.testing.assert_array_equal(read.covariate(name), direct.covariate(name), err_msg=name)
    np.testing.assert_array_equal(read.covariate("age"), np.floor(direct.covariate("age")))


def test_a_trait_of_every_participant_is_a_covariate(simulated):
    arms = Contrast(*(name for name in simulated.arms if "tofersen" in name), "placebo")
    data, patients = from_result(simulated.groups, arms), simulated.groups["patients"]
    who = np.flatnonzero(np.isin(patients["allocated_arm"].values, arms))
    months = patients["time_since_onset"].values[who]
    np.testing.assert_array_equal(data.covariate("progression_rate"), (48 - data.baseline) / months)
    assert {*data.covariate("female")} == {0, 1}
    adjusted = ancova(data, covariates=("progression_rate", "age", "female"))
    assert adjusted.df == ancova(data).df - 3
    bulbar = patients["onset_site"].values[who] == 0
    np.testing.assert_array_equal(data.covariate("bulbar"), bulbar)


def test_the_score_at_baseline_is_a_covariate_whatever_the_outcome(simulated):
    arms = Contrast(*(name for name in simulated.arms if "tofersen" in name), "placebo")
    data, other = (from_result(simulated.groups, arms, outcome=name) for name in ("alsfrs_r", "svc"))
    np.testing.assert_array_equal(other.covariate("baseline_alsfrs_r"), data.baseline)
    np.testing.assert_array_equal(other.covariate("progression_rate"), data.covariate("progression_rate"))
    assert ancova(other, covariates=("baseline_alsfrs_r", "bulbar")).df == ancova(other).df - 2


def test_a_planned_visit_that_nobody_had_comes_in_again(simulated):
    """Without it week 26 would be the last visit of a trial of 28 weeks whose last visit failed."""
    observed = dict(simulated.groups["observed"])
    for name in ("alsfrs_r", "svc", "hhd", "nfl_plasma", "sod1_csf"):
        if name in observed:
            values = observed[name].values.copy()
            values[..., -2] = np.nan
            observed[name] = observed[name]._replace(values=values)
    failed = copy(simulated)
    failed.groups = {**simulated.groups, "observed": observed}
    arms = Contrast(*(name for name in simulated.arms if "tofersen" in name), "placebo")
    made = {name: {key: table[key].to_numpy() for key in table} for name, table in failed.to_adam().items()}
    read, direct = from_tables(made["ADSL"], made["ADQS"], made["ADTTE"], arms), from_result(failed.groups, arms)
    for name in ("nominal_day", "day", "outcome"):
        np.testing.assert_array_equal(getattr(read, name), getattr(direct, name), err_msg=name)


def test_a_simulated_trial_can_be_analysed():
    sim = pytest.importorskip("simulator")
    result = sim.simulate(sim.load("valor"), patients=108, seed=3)
    for source in (result.groups, result.data):
        data = until(from_result(source, ARMS), 196)
        assert data.n == 108
        assert data.treated.sum() == 72
        assert ANALYSES["joint_rank"].run(data).n == 108


def test_analyses_load_no_heavy_library():
    code = "import sys, simulator.analysis.trial.registry; print(*(m for m in sys.modules if '.' not in m))"
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "numpy" in loaded
    assert not loaded & {"scipy", "numba", "xarray", "pandas"}
