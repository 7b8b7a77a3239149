"""Results: the tree as the interface says, the summary against numpy, files that survive."""

from dataclasses import replace

import numpy as np
import pytest
import xarray

from simulator.analysis.intervals import share_error
from simulator.results import name, open_study
from simulator.results.arrays import QUANTILES
from simulator.results.variables import OBSERVED, SUMMARISED, TRUTH, VARIABLES
from tests.support.synthetic import ARMS, make_provenance, make_record, summarised

DOMAINS = {f"alsfrs_r_{domain}" for domain in ("bulbar", "fine_motor", "gross_motor", "respiratory")}
TREE = {
    "patients": {
        *("variant", "fast_variant", "sex", "age_at_onset", "age", "time_since_onset", "stratum", "candidates"),
        *("d50", "tau_svc", "onset_site"),
    },
    "truth": {"alsfrs_r", *DOMAINS, "svc", "hhd", "nfl_plasma", "sod1_csf", "rate", "disease_time"},
    "observed": {"alsfrs_r", "svc", "hhd", "nfl_plasma", "sod1_csf", "day"},
    "events": {"event_free_time", "event", "death_time", "dropout_time", "followup_time"},
    "doses": {"arm", "patient", "day", "dose_mg"},
}
DIMS = {
    "patients": ("patient",),
    "truth": ("arm", "patient", "time"),
    "observed": ("arm", "patient", "visit"),
    "events": ("arm", "patient"),
    "doses": ("record",),
}
ROOT_ATTRIBUTES = {"title", "seed", "scenario_sha256", "engine_version", "versions", "citations", "warnings"}


@pytest.fixture(scope="module")
def record():
    return make_record()


@pytest.fixture(scope="module")
def result(record):
    return name(record, lambda: make_provenance(record))


@pytest.fixture(scope="module")
def summary_result(record):
    short = make_record(full=False)
    return name(short, lambda: make_provenance(short))


# ---- the tree ----


def test_groups_variables_and_dimensions(result):
    tree = result.data
    assert set(tree.children) == {*TREE, "summary"}
    assert set(tree.attrs) >= ROOT_ATTRIBUTES
    for group, names in TREE.items():
        assert set(tree[group].data_vars) == names
        assert {tree[group][one].dims for one in names} == {DIMS[group]}


def test_every_variable_has_unit_and_long_name(result):
    seen = [variable for group in result.data.children.values() for variable in group.ds.variables.values()]
    assert len(seen) > 100
    assert all(variable.attrs["units"] and variable.attrs["long_name"] for variable in seen)


def test_units_of_the_table():
    unit = {key: row.unit for key, row in VARIABLES.items()}
    assert {unit["truth", one] for one in ("alsfrs_r", *DOMAINS)} == {"points"}
    assert unit["truth", "svc"] == unit["observed", "svc"] == "percent"
    assert unit["truth", "nfl_plasma"] == "pg/mL"
    assert unit["patients", "time_since_onset"] == "months"
    assert {unit["events", one] for one in ("event_free_time", "death_time", "niv_time")} == {"d"}


@pytest.mark.slow
def test_time_is_days_and_never_a_timedelta(result, tmp_path):
    result.save(tmp_path / "a.nc")
    for tree in (result.data, xarray.open_datatree(tmp_path / "a.nc", engine="h5netcdf")):
        time = tree["truth"]["time"]
        assert time.dtype == np.float64
        assert time.attrs["units"] == "d"
        np.testing.assert_allclose(tree["truth"]["week"], time.values / 7)
        np.testing.assert_allclose(tree["truth"]["month"], time.values / 30.4375)
        assert set(tree["truth"].coords) == {"arm", "patient", "time", "week", "month"}
        assert set(tree["observed"].coords) == {"arm", "patient", "visit", "nominal_day", "week", "month"}
        assert tree["events"]["death_time"].dtype == np.float64


def test_labels_are_names(result, record):
    patients = result.data["patients"]
    assert list(patients["variant"].values[:3]) == ["p.Ala5Val", "other", "p.Ala5Val"]
    assert list(patients["stratum"].values[:2]) == ["faster", "slower"]
    assert tuple(result.data["truth"]["arm"].values) == ARMS
    assert patients["sex"].attrs["flag_meanings"] == "man woman"
    assert result.data["events"]["event"].attrs["flag_meanings"] == "none death pav"
    assert result.data["doses"]["arm"].attrs["flag_meanings"] == " ".join(ARMS)
    unstratified = replace(record, strata=(), patients={k: v for k, v in record.patients.items() if k != "stratum"})
    assert set(name(unstratified, lambda: make_provenance(record)).groups["patients"]["stratum"].values) == {"all"}


def test_what_is_missing_is_nan_and_never_0(result, record, tmp_path):
    result.save(tmp_path / "a.nc")
    for one in (result, open_study(tmp_path / "a.nc")):
        observed = one.groups["observed"]
        gone = one.groups["events"]["death_time"].values[..., None] <= observed["nominal_day"].values
        assert gone.any()
        for key in TREE["observed"]:
            assert np.isnan(observed[key].values[gone]).all()
            np.testing.assert_array_equal(observed[key].values, record.observed[key])
        assert not any(
            np.isnan(array.values).any() for key, array in one.groups["truth"].items() if key in TREE["truth"]
        )


@pytest.mark.slow
def test_scores_are_small_integers_on_disk_unless_they_are_not_whole(record, tmp_path):
    import h5py

    for shift, kind in ((0, np.int8), (0.5, np.float32)):
        changed = replace(
            record, observed=record.observed | {"alsfrs_r": record.observed["alsfrs_r"] + np.float32(shift)}
        )
        place = tmp_path / f"{kind.__name__}.nc"
        name(changed, lambda: make_provenance(record)).save(place)
        with h5py.File(place) as file:
            assert file["observed/alsfrs_r"].dtype == kind
        np.testing.assert_array_equal(
            open_study(place).groups["observed"]["alsfrs_r"].values, changed.observed["alsfrs_r"]
        )


def test_the_table_has_each_output_once():
    assert len(VARIABLES) > 35
    assert {row.dims for row in VARIABLES.values() if row.group == "truth"} == {TRUTH}
    assert {row.dims for row in VARIABLES.values() if row.group == "observed"} == {OBSERVED}
    assert all(row.of in TREE["truth"] for row in SUMMARISED)
    assert len({row.name for row in SUMMARISED}) == len(SUMMARISED)


# ---- the summary ----


def test_summary_mode_has_the_same_summary_and_nothing_else(result, summary_result):
    assert set(summary_result.groups) == {"summary"}
    xarray.testing.assert_identical(result.data["summary"].to_dataset(), summary_result.data["summary"].to_dataset())


@pytest.mark.parametrize("index", range(len(SUMMARISED)), ids=[row.name for row in SUMMARISED])
def test_summary_against_numpy(record, result, index):
    row, group = SUMMARISED[index], result.groups["summary"]
    x = summarised(record.truth, row)
    alive = ~(record.events["death_time"][..., None] <= record.time)
    back = np.exp if row.transform == "log" else np.array
    width = record.sums.width[index]
    for a in range(len(ARMS)):
        for t in (0, 10, 26):
            kept = x[a, alive[a, :, t], t]
            mean, sd = group[f"{row.name}_mean"].values[a, t], group[f"{row.name}_sd"].values[a, t]
            assert mean == pytest.approx(back(kept.mean()), rel=1e-5, abs=1e-5)
            assert sd == pytest.approx(back(kept.std(ddof=1)), rel=1e-3, abs=2e-3)
            mcse = kept.std(ddof=1) / np.sqrt(len(kept)) * (mean if row.transform == "log" else 1)
            assert group[f"{row.name}_mean_mcse"].values[a, t] == pytest.approx(mcse, rel=1e-3, abs=1e-3)
            below = np.quantile(kept, QUANTILES, method="inverted_cdf")
            above = np.quantile(kept, np.array(QUANTILES) + 1e-9, method="inverted_cdf")  # another, where p n is whole
            found = group[f"{row.name}_quantile"].values[a, t]
            found = np.log(found) if row.transform == "log" else found
            assert np.all((found >= below - width - 1e-6) & (found <= above + width + 1e-6))
    assert group[f"{row.name}_quantile"].attrs["bin_width"] == width


def test_counts_and_probabilities(record, result):
    group = result.groups["summary"]
    alive = ~(record.events["death_time"][..., None] <= record.time)
    np.testing.assert_array_equal(group["alive"].values, alive.sum(1))
    np.testing.assert_allclose(group["survival"].values, alive.mean(1))
    p = group["event_free"].values
    np.testing.assert_allclose(group["event_free_mcse"].values, share_error(p * record.n_patients, record.n_patients))
    zero = np.where(alive, record.truth["alsfrs_r"], 0)
    np.testing.assert_allclose(group["alsfrs_r_death0_mean"].values, zero.mean(1), rtol=1e-5)
    np.testing.assert_allclose(
        group["alsfrs_r_death0_mean_mcse"].values, zero.std(1, ddof=1) / np.sqrt(record.n_patients), rtol=1e-4
    )
    np.testing.assert_allclose(
        group["event_free_time_mean"].values, record.events["event_free_time"].mean(1), rtol=1e-5
    )
    assert group["ended"].values.sum() == record.n_patients * len(ARMS)


@pytest.mark.slow
def test_errors_of_sd_and_quantiles_are_the_spread_over_runs():
    runs = [make_record(n=150, seed=seed, step=728.0) for seed in range(60)]
    groups = [name(run, lambda run=run: make_provenance(run)).groups["summary"] for run in runs]
    for key in ("alsfrs_r_sd", "nfl_plasma_sd", "alsfrs_r_quantile", "nfl_plasma_quantile"):
        values = np.array([group[key].values[1, 0 if "nfl" in key else 1] for group in groups])
        errors = np.array([group[f"{key}_mcse"].values[1, 0 if "nfl" in key else 1] for group in groups])
        np.testing.assert_allclose(errors.mean(0), values.std(0), rtol=0.4)


def test_nobody_alive_gives_nan():
    record = make_record(n=4)
    nobody = replace(record, sums=record.sums._replace(**{k: getattr(record.sums, k) * 0 for k in ("alive", "counts")}))
    group = name(nobody, lambda: make_provenance(record)).groups["summary"]
    for key in ("alsfrs_r_mean", "alsfrs_r_sd", "alsfrs_r_sd_mcse", "alsfrs_r_quantile", "nfl_plasma_mean_mcse"):
        assert np.isnan(group[key].values).all()


@pytest.mark.slow
def test_tidy_rows(result):
    rows = result.summary_rows()
    assert rows[0]._fields == ("scenario", "arm", "metric", "time", "estimate", "lower", "upper", "mcse", "n")
    assert len(rows) == len({(row.arm, row.metric, row.time) for row in rows})
    assert {row.arm for row in rows} == set(ARMS)
    assert all(row.lower <= row.estimate <= row.upper for row in rows if row.estimate == row.estimate)
    ratios = [row for row in rows if row.metric == "nfl_plasma_mean"]
    assert ratios
    assert all(row.estimate / row.lower == pytest.approx(row.upper / row.estimate) for row in ratios)
    shares = [row for row in rows if row.metric == "event_free"]
    assert min(row.lower for row in shares) >= 0
    assert max(row.upper for row in shares) == 1
    assert len(result.summary()) == len(rows)


# ---- what a person sees ----


def test_html_is_escaped(result, summary_result):
    for one in (result, summary_result):
        html = one._repr_html_()
        assert "A synthetic &lt;run&gt; &amp; more" in html
        assert "An &lt;odd&gt; value" in html
        assert "<run>" not in html
        assert "<odd>" not in html
        assert "±" in html
        assert "benefit is not proven" in html


def test_properties(result, summary_result):
    assert (result.seed, result.n_patients, result.arms, result.is_full) == (7, 60, ARMS, True)
    assert not summary_result.is_full
    assert result.analysis_days == (196.0, 364.0)
    assert result.screening["candidates"] == 180
    assert "60 patients" in repr(result)
    with pytest.raises(KeyError, match=r"no arm 'none'\. Arms: untreated"):
        result.survival("none")


def test_survival_in_both_modes(result, summary_result):
    exact, rough = result.survival("untreated"), summary_result.survival("untreated")
    mean = result.groups["summary"]["event_free_time_mean"].values[0] / 30.4375
    assert exact.rmst().value == pytest.approx(mean, rel=1e-5)
    assert rough.rmst().value == pytest.approx(mean, rel=0.01)
    assert exact.rmst(months=12).mcse > 0
