"""What a person writes over a scenario is theirs, is set in order, and is written so that others read it."""

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from simulator.language import ScenarioError, load, parse
from simulator.language.dump import to_yaml
from simulator.language.graded import Graded, shared
from simulator.language.listing import values
from simulator.language.loading import bundled
from simulator.language.template import Template

LABEL = "FDA Qalsody label (NDA 215887); section 2"


def with_regimen(text):
    """`valor` with something in the regimen, as a file."""
    whole = bundled()["valor"].read_text()
    assert "tofersen: {catalog: tofersen}" in whole
    return parse(whole.replace("{catalog: tofersen}", f"{{catalog: tofersen, regimen: {text}}}").encode(), "mine.yaml")


def grades(scenario, section="treatments.tofersen.regimen"):
    """Evidence and source of the values of a section."""
    start = len(section) + 1
    found = {
        one.address[start:]: (one.evidence, one.source) for one in values(scenario) if one.address.startswith(section)
    }
    return {key: found[key] for key in ("dose_mg", "loading_days", "every_days", "missed_dose")}


def test_a_part_of_a_sourced_section_that_is_overridden_loses_its_grade_and_no_other_does():
    published, assumed = ("published", LABEL), ("assumed", None)
    assert set(grades(load("valor")).values()) == {published}
    expected = {"dose_mg": assumed, "loading_days": published, "every_days": assumed, "missed_dose": published}
    written = with_regimen("{dose_mg: 50, every_days: 14}")
    assert grades(written) == expected
    address = "treatments.tofersen.regimen"
    assert load("valor").replace({f"{address}.every_days": 14, f"{address}.dose_mg": 50}) == written
    assert Template(load("valor")).replace({f"{address}.every_days": 14, f"{address}.dose_mg": 50}) == written
    assert parse(written.resolved_yaml().encode(), "again.yaml") == written
    assert LABEL.partition(";")[0] in written.citations()


def test_a_grade_that_is_written_with_a_value_is_of_that_value():
    found = grades(with_regimen("{every_days: 14, evidence: published, source: A trial}"))
    assert found["every_days"] == ("published", "A trial")
    assert found["loading_days"] == ("published", LABEL)
    whole = with_regimen("{loading_days: [0], every_days: 14, missed_dose: article}")
    assert grades(whole)["loading_days"] == ("assumed", None)
    assert whole.treatments["tofersen"].regimen.grades is None
    assert whole.treatments["tofersen"].regimen.source is None
    with pytest.raises(ScenarioError, match="there is no source"):
        with_regimen("{every_days: 14, evidence: published}")


def test_a_value_set_below_a_sourced_number_is_assumed():
    address = "treatments.tofersen.regimen.dose_mg.value"
    for made in (load("valor").replace({address: 50}), Template(load("valor")).replace({address: 50})):
        dose = made.treatments["tofersen"].regimen.dose_mg
        assert (dose.value, dose.evidence, dose.source, dose.unit) == (50, "assumed", None, "mg")
    assert load("valor").replace({address: 100}) == load("valor")


@given(st.sets(st.sampled_from(["a", "b", "c"]), min_size=1), st.sampled_from(["published", "assumed", None]))
def test_every_value_of_a_section_has_one_grade_its_own_or_that_of_the_catalog(keys, evidence):
    class Section(Graded):
        PLAIN = ("a", "b", "c")

        a: int
        b: int
        c: int

    base = {"a": 1, "b": 2, "c": 3, "source": "S", "evidence": "published"}
    over = dict.fromkeys(keys, 9) | ({"evidence": evidence, "source": "T"} if evidence else {})
    made = Section(**(base | over | {"source": None, "evidence": "assumed"} | shared(base, over)))
    for key in Section.PLAIN:
        grade = made.grade(key)
        mine = (evidence or "assumed", "T" if evidence else None)
        assert (grade.evidence, grade.source) == (mine if key in keys else ("published", "S"))


def test_settings_are_applied_in_order_each_to_what_the_last_left():
    catalog, mean = (
        ("disease", {"catalog": "sod1", "variants": {"A4V": 0.5, "other": 0.5}}),
        "disease.age_at_onset.normal.mean",
    )
    one = load("valor").replace(dict([catalog, (mean, 50)]))
    assert (list(one.disease.variants), float(one.disease.age_at_onset.normal.mean)) == (["p.Ala5Val", "other"], 50)
    two = load("valor").replace(dict([(mean, 50), catalog]))
    assert two.disease.age_at_onset == load("valor").disease.age_at_onset  # the catalog's
    drug = {"treatments.other": {"catalog": "tofersen"}, "treatments.other.effect.mean": 0.2}
    assert float(load("valor").replace(drug).treatments["other"].effect.mean) == 0.2
    safety = {"safety": {"catalog": "tofersen_safety"}, "safety.serious_neurologic.per_year": 0.1}
    assert float(load("registry").replace(safety).safety.serious_neurologic.per_year) == 0.1
    with pytest.raises(ScenarioError, match=r"treatments\.other: the catalog has no treatment tofersn"):
        load("valor").replace({"treatments.other": {"catalog": "tofersn"}})


@pytest.mark.slow
@given(st.permutations(["patients", "follow_up_days", "disease.men", "treatments.tofersen.effect.mean"]))
def test_settings_at_addresses_apart_commute(order):
    new = {"patients": 7, "follow_up_days": 1988, "disease.men": 0.25, "treatments.tofersen.effect.mean": 0.2}
    assert load("valor").replace({key: new[key] for key in order}) == load("valor").replace(new)


@pytest.mark.parametrize("name", ["article", "c9orf72", "case_a", "valor_trial", "registry"])
@pytest.mark.parametrize("how", [{"progression": {"model": "linear"}}, {"progression.model": "linear"}])
def test_a_loaded_scenario_changes_its_model_as_its_file_would(name, how):
    scenario = load(name).replace(how)
    assert (scenario.progression.model, scenario.output.stages) == ("linear", False)
    text = bundled()[name].read_text()
    lines = [line for line in text.splitlines() if not line.startswith(("progression", "  d50", "  survival"))]
    if "progression: {model: clock}" in text:
        again = parse("\n".join([*lines, "progression: {model: linear}"]).encode(), name)
        assert scenario.progression == again.progression


@given(st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([1e-05, 1e22, 1e-7, -1e16])))
def test_readers_of_yaml_1_1_read_the_same_numbers(number):
    text = to_yaml({"x": number, "list": [number]})
    for version in ((1, 1), (1, 2)):
        reader = YAML(typ="safe", pure=True)
        reader.version = version
        found = reader.load(StringIO(text))
        assert (type(found["x"]), found["x"], found["list"]) == (float, number, [number])


@pytest.mark.parametrize(
    "word", ["no", "Yes", "on", "OFF", "y", "null", "~", "1e-05", "012", "1:30", ".inf", "2001-01-01"]
)
def test_readers_of_yaml_1_1_read_the_same_words(word):
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 1)
    assert reader.load(StringIO(to_yaml({"x": word, "list": [word]}))) == {"x": word, "list": [word]}


def test_the_number_of_the_issue():
    assert to_yaml({"x": 1e-05}) == "x: 1.0e-05\n"
