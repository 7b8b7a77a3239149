"""The catalog: every value has a source or says that it is assumed, and equals the page it was entered from."""

import re

import pytest

from simulator import catalog
from simulator.language.blocks.decision import COMMON, Money
from simulator.models import MODELS
from simulator.quantities import NEEDS_SOURCE, Quantity

ENTRIES = [(kind, name) for kind in catalog.KINDS for name in catalog.names(kind)]
SHAPES = {"normal", "lognormal", "uniform"}


def ungraded(node, path=(), graded=False):
    """Paths of numbers that have no evidence grade of their own or beside them."""
    if isinstance(node, dict):
        graded = graded or "evidence" in node
        return [bad for key, part in node.items() for bad in ungraded(part, (*path, key), graded)]
    if isinstance(node, list):
        return [bad for i, part in enumerate(node) for bad in ungraded(part, (*path, i), graded)]
    is_number = isinstance(node, (int, float)) and not isinstance(node, bool)
    return [path] if is_number and not graded else []


def quantities(node, path=()):
    if isinstance(node, dict):
        if "value" in node and "kind" not in node:
            return [(path, node)]
        return [found for key, part in node.items() for found in quantities(part, (*path, key))]
    return []


WITHOUT_DOI = {("utilities", "moore"), ("costs_uk", "moore")}  # none is known to the catalog


def test_there_are_entries():
    assert {("disease", "sod1"), ("treatment", "tofersen"), ("measurement", "measurement")} <= set(ENTRIES)


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_value_has_a_grade(kind, name):
    found = catalog.entry(kind, name)
    design = [("visits", "jitter_days")]  # a choice of the design, not a measured value
    assert [path for path in ungraded(found) if path not in design] == []
    assert quantities(found)


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_values_above_assumed_name_a_source_with_its_place(kind, name):
    found = catalog.entry(kind, name)
    for path, value in quantities(found):
        quantity = (Money if kind == "cost" else Quantity).model_validate(value)
        if quantity.evidence in NEEDS_SOURCE:
            assert ";" in quantity.source, path
        if quantity.evidence == "published":
            assert quantity.read_in_source is True, path
        if quantity.source:
            assert any(quantity.source.startswith(source) for source in found["sources"].values()), path


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_source_is_used_and_papers_have_a_doi(kind, name):
    found = catalog.entry(kind, name)
    used = str({key: part for key, part in found.items() if key != "sources"})
    for key, source in found["sources"].items():
        assert source in used, key
        if re.search(r"\bet al\.", source) and (name, key) not in WITHOUT_DOI:
            assert re.search(r"doi:10\.\d{4,}/\S+$", source), key


@pytest.mark.parametrize("name", catalog.names("cost"))
def test_amounts_of_money_have_one_basis(name):
    found = [value for _, value in quantities(catalog.entry("cost", name))]
    assert found
    assert len({tuple(value[key] for key in COMMON) for value in found}) == 1
    assert all(value["unit"].startswith(value["currency"]) for value in found)


def test_a_value_without_grade_is_seen():
    assert ungraded({"a": {"b": 3}, "c": {"value": 1, "evidence": "assumed"}}) == [("a", "b")]


# Entered a second time, from the tables of starting values, and compared.
STARTING_VALUES = {
    "disease.age_at_onset.normal": (49.7, 12.3, 18),
    "disease.men": 0.57,
    "disease.onset_site": (0.08, 0.27, 0.65),
    "disease.background_mortality": (1, -10.2, 0.095, 0.65),
    "disease.variants.p.Ala5Val": (1, 0.9, 4, 0.5),
    "disease.variants.p.Val149Gly": (1, 0.95),
    "disease.variants.p.Ile114Thr": (0, 0.95),
    "disease.variants.p.Arg116Gly": (0, 0.9, 10, 0.55),
    "disease.variants.p.Asp91Ala": (0, 0.9, 57.5, 1.32),
    "disease.variants.p.Leu145Phe": (0, 0.9, 21.5, 1.40),
    "disease.variants.other": (0.6, 40, 0.9, 11, 0.8),
    "progression.clock.d50_months.p.Ala5Val.lognormal": (11.8, 0.33),
    "progression.clock.d50_months.p.Arg116Gly.lognormal": (18.2, 0.35),
    "progression.clock.d50_months.p.Leu145Phe.lognormal": (78, 0.50),
    "progression.clock.d50_months.p.Asp91Ala.lognormal": (203, 0.45),
    "progression.clock.d50_months.p.His47Arg.lognormal": (121, 0.40),
    "progression.clock.d50_months.p.Gly94Ala.lognormal": (27.9, 0.40),
    "progression.clock.d50_months.p.Gly38Arg.lognormal": (216, 0.40),
    "progression.clock.d50_months.p.Ile114Thr.lognormal": (39.4, 0.40),
    "progression.clock.d50_months.other.lognormal": (77, 1.25),
    "progression.clock.volatility": (0.38, 0.93),
    "progression.clock.function.steepness.lognormal": (3.7, 0.12),
    "progression.clock.function.tau_limb": 0.78,
    "progression.clock.function.tau_axial": 1.63,
    "progression.clock.function.tau_log_sd": 0.30,
    "progression.clock.function.onset_factor": 0.50,
    "progression.clock.breathing.v0_percent.normal": (98, 16, 60, 140),
    "progression.clock.breathing.tau.lognormal": (1.0, 0.22),
    "progression.clock.breathing.correlation_with_respiratory": 0.6,
    "progression.clock.breathing.steepness": 1.9,
    "progression.clock.breathing.fvc_offset_percent.normal": (1.5, 3),
    "progression.clock.strength": (0.6, 1.6),
    "progression.clock.survival": (12, 39.5, 0.45, 0.12, 20),
    "progression.clock.neurofilament": (9, 0.02, 300, 0.90, 0.45, 0.80, 1.5),
    "progression.regions.d50_months.p.Ala5Val.lognormal": (11.2, 0.32),
    "progression.regions.d50_months.p.Arg116Gly.lognormal": (17.7, 1.1),
    "progression.regions.d50_months.p.Leu145Phe.lognormal": (78.5, 1.1),
    "progression.regions.d50_months.p.Asp91Ala.lognormal": (244, 1.1),
    "progression.regions.d50_months.p.His47Arg.lognormal": (114, 0.55),
    "progression.regions.d50_months.p.Gly94Ala.lognormal": (16.9, 1.1),
    "progression.regions.d50_months.p.Gly38Arg.lognormal": (212, 0.55),
    "progression.regions.d50_months.p.Ile114Thr.lognormal": (24.5, 1.1),
    "progression.regions.d50_months.other.lognormal": (60, 1.16),
    "progression.regions.cohort_log_shift": 0,
    "progression.regions.covariates": (0, 0, 0),
    "progression.regions.volatility": (0.5, 0.95),
    "progression.regions.function.tau.lognormal": (0.33, 0.67),
    "progression.regions.function.later_onset": (0.45, 0.71, 0.97),
    "progression.regions.breathing.v0_percent.normal": (103, 21, 60, 140),
    "progression.regions.breathing.tau.lognormal": (0.90, 0.16),
    "progression.regions.breathing.correlation_with_respiratory": 0.6,
    "progression.regions.breathing.fvc_offset_percent.normal": (1.5, 3),
    "progression.regions.strength": (0.6, 1.6),
    "progression.regions.survival": (16, 34.5, 0.45, 0.12, 20),
    "progression.regions.diagnosis.disease_time.lognormal": (0.26, 0.58),
    "progression.regions.diagnosis.lag_months.lognormal": (2.0, 0.38),
    "progression.regions.diagnosis.wait_exponent": 0.47,
    "progression.regions.neurofilament": (9, 0.02, 260, 0.69, 0.45, 0.80, 1.66),
    "progression.linear.slope_points_per_month.p.Ala5Val.lognormal": (2.03, 0.33),
    "progression.linear.slope_points_per_month.p.Arg116Gly.lognormal": (1.32, 0.35),
    "progression.linear.slope_points_per_month.p.Leu145Phe.lognormal": (0.311, 0.5),
    "progression.linear.slope_points_per_month.p.Asp91Ala.lognormal": (0.118, 0.45),
    "progression.linear.slope_points_per_month.p.His47Arg.lognormal": (0.201, 0.4),
    "progression.linear.slope_points_per_month.p.Gly94Ala.lognormal": (0.855, 0.4),
    "progression.linear.slope_points_per_month.p.Gly38Arg.lognormal": (0.11, 0.4),
    "progression.linear.slope_points_per_month.p.Ile114Thr.lognormal": (0.611, 0.4),
    "progression.linear.slope_points_per_month.other.lognormal": (0.297, 1.25),
    "progression.linear.breathing.v0_percent.normal": (98, 16, 60, 140),
    "progression.linear.breathing.percent_per_point.lognormal": (2.7, 0.3),
    "progression.linear.breathing.effect_ratio": 1,
    "progression.linear.breathing.fvc_offset_percent.normal": (1.5, 3),
    "progression.linear.survival": (0.0047, 0.083, 1, 0.45, 0.12, 20),
    "progression.linear.neurofilament": (9, 0.02, 90, 0.90, 0.45),
    "progression.multistate.d50_months.p.Ala5Val.lognormal": (10.1, 0.33),
    "progression.multistate.d50_months.p.Arg116Gly.lognormal": (15.5, 0.35),
    "progression.multistate.d50_months.p.Leu145Phe.lognormal": (65.2, 0.5),
    "progression.multistate.d50_months.p.Asp91Ala.lognormal": (174, 0.45),
    "progression.multistate.d50_months.p.His47Arg.lognormal": (94.9, 0.4),
    "progression.multistate.d50_months.p.Gly94Ala.lognormal": (21.8, 0.4),
    "progression.multistate.d50_months.p.Gly38Arg.lognormal": (177, 0.4),
    "progression.multistate.d50_months.p.Ile114Thr.lognormal": (30.5, 0.4),
    "progression.multistate.d50_months.other.lognormal": (65, 1.25),
    "progression.multistate.volatility": (0.38, 0.93),
    "progression.multistate.stages": (27, 0.058, 0.092, 0.107, 0.169),
    "progression.multistate.survival": (0, 0, 20),
}
DRUG_VALUES = {
    "treatment.tissue": (28, 100, 28),
    "treatment.target.max_inhibition": 0.72,
    "treatment.target.ec50.lognormal": (0.60, 0.35),
    "treatment.target.half_life_days": 25,
    "treatment.target.csf_share": 0.80,
    "treatment.effect": (0.78, 0.41, -0.1, 1.35, 91, 0.30),
    "treatment.neurofilament": (0.80, 0.14, 0, 0.97, 0.5, 0.17, 14, 280, 9.5),
}
NOISE = {"visits.noise": (1.6, 5, 0.12, 0.25, 0.28, 2), "visits.missing": 0.03}


@pytest.mark.parametrize(
    ("kind", "name", "table"),
    [
        ("disease", "sod1", STARTING_VALUES),
        ("treatment", "tofersen", DRUG_VALUES),
        ("measurement", "measurement", NOISE),
    ],
)
def test_values_equal_the_tables_they_came_from(kind, name, table):
    assert name in catalog.names(kind)
    found = {".".join(map(str, path)): value["value"] for path, value in quantities(catalog.written(name))}
    for address, expected in table.items():
        below = [value for path, value in found.items() if path == address or path.startswith(address + ".")]
        assert below == list(expected if isinstance(expected, tuple) else (expected,)), address
    covered = [path for path in found if any(path == a or path.startswith(a + ".") for a in table)]
    rest = set(found) - set(covered)
    assert all(
        "listed_fast" in path or "penetrance" in path or "entry_effect" in path or "regimen" in path for path in rest
    ), rest


def test_label_regimen():
    regimen = catalog.entry("treatment", "tofersen")["treatment"]["regimen"]
    assert (regimen["dose_mg"]["value"], regimen["loading_days"], regimen["every_days"]) == (100, [0, 14, 28], 28)


def test_aliases_are_the_legacy_names_of_their_variants():
    three = "Ala Arg Asn Asp Cys Gln Glu Gly His Ile Leu Lys Met Phe Pro Ser Thr Trp Tyr Val"
    letters = dict(zip("ARNDCQEGHILKMFPSTWYV", re.findall(r"\w+", three), strict=True))
    aliases = catalog.entry("disease", "sod1")["aliases"]
    assert len(aliases) > 10
    for legacy, variant in aliases.items():
        before, number, after = legacy[0], int(legacy[1:-1]), legacy[-1]
        wanted = {f"p.{letters[before]}{number + shift}{letters[after]}" for shift in (0, 1)}
        assert variant in wanted


@pytest.mark.parametrize("model", MODELS)
def test_every_disease_has_parameters_of_every_model(model):
    for name in catalog.names("disease"):
        section = catalog.entry("disease", name)["progression"][model]
        fields = MODELS[model].model_fields
        assert {key for key, field in fields.items() if field.is_required()} <= set(section) | {"model"}
        assert set(section) <= set(fields)


def test_an_unknown_entry_names_the_nearest():
    with pytest.raises(catalog.CatalogError) as caught:
        catalog.entry("treatment", "tofersin")
    assert caught.value.close == "tofersen"
    assert caught.value.exit_code == 2
    with pytest.raises(catalog.CatalogError):
        catalog.entry("treatment", "sod1")


def test_entries_are_read_once():
    assert catalog.entry("disease", "sod1") is catalog.entry("disease", "sod1")
