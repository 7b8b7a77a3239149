"""The scenario language: case files, properties, errors, the terminal."""

import itertools
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from simulator.cli.errors import friendly
from simulator.errors import ResourceError, SimulatorError
from simulator.language import Scenario, ScenarioError, bundled, load, parse_setting
from simulator.language.document import MAX_DEPTH, read, scalar
from simulator.language.dump import to_yaml
from simulator.language.faults import printable
from simulator.language.loading import build
from simulator.language.schema import schema

CASES = Path(__file__).parents[1] / "cases"
VALID = sorted((CASES / "valid").glob("*.yaml"))
INVALID = sorted((CASES / "invalid").glob("*.yaml"))
BASE = (CASES / "valid" / "minimal.yaml").read_text()


def names(paths):
    return [path.stem for path in paths]


def written(folder: Path, text: str | bytes, name: str = "case.yaml") -> Path:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def faults(file: Path):
    with pytest.raises(ScenarioError) as caught:
        load(file)
    return caught.value.errors


def test_there_are_cases():
    assert len(VALID) >= 25
    assert len(INVALID) >= 40
    assert {path.stem for path in INVALID} == {path.stem for path in (CASES / "invalid").glob("*.expected")}
    assert {"valor", "natural_history", "analytic/constant_m"} <= set(bundled())


# --- case files


@pytest.mark.parametrize("path", [*VALID, *bundled().values()], ids=lambda path: path.stem)
def test_valid_case_loads_and_its_complete_form_loads_again_to_the_same(path, tmp_path):
    scenario = load(path)
    complete = scenario.resolved_yaml()
    assert "catalog:" not in complete
    again = load(written(tmp_path, complete))
    assert again == scenario
    assert again.sha256 == scenario.sha256
    assert again.resolved_yaml() == complete


@pytest.mark.parametrize("path", INVALID, ids=names(INVALID))
def test_invalid_case_has_the_expected_message(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    found = faults(Path(path.name))
    assert "\n".join(map(str, found)) + "\n" == path.with_suffix(".expected").read_text()
    assert len(found) == 1


@pytest.mark.parametrize("path", INVALID, ids=names(INVALID))
def test_messages_are_in_the_readers_words(path):
    text = path.with_suffix(".expected").read_text()
    for jargon in ("pydantic", "Input should", "dict", "Traceback", "NoneType", "validation error", "ctx", "[type="):
        assert jargon not in text


def test_all_faults_come_at_once_in_the_order_of_the_file(tmp_path):
    text = BASE.replace("patients: 10", "patients: '10'").replace("from_day", "form_day")
    text = text.replace("other: 0.5", "other: 0.4").replace("follow_up_days: 364", "follow_up_months: 12\ntitle: Twice")
    found = faults(written(tmp_path, text))
    assert [fault.address for fault in found] == ["patients", "disease.variants", "follow_up_months", "title"]
    assert [fault.line for fault in found] == sorted(fault.line for fault in found)


def test_the_fault_of_a_catalog_value_stands_at_the_users_nearest_ancestor(tmp_path):
    text = BASE.replace("model: clock", "model: clock, survival: {critical_svc_percent: 70}")
    (fault,) = faults(written(tmp_path, text))
    assert (fault.line, fault.column) == (5, 14)  # that of `progression`: the file does not name breathing
    assert fault.address == "progression.breathing.v0_percent"


# --- text to data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("012", 12),
        ("0o12", 10),
        ("0x1C", 28),
        ("1e-3", 0.001),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2026-01-02", "2026-01-02"),
        ("~", None),
        ("", None),
        ("True", True),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("1.", 1.0),
        ("+3", 3),
        ("=", "="),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text, value):
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_nesting_of_five_thousand_levels_is_one_fault(tmp_path):
    for text in ("[" * 5000 + "]" * 5000, "a: " + "{b: " * 5000 + "}" * 5000, "- " * 5000 + "x"):
        (fault,) = faults(written(tmp_path, text))
        assert f"{MAX_DEPTH} levels deep" in fault.fact


def test_forty_levels_are_read():
    assert read(("[" * 40 + "]" * 40).encode(), "f").data is not None


@pytest.mark.slow
def test_limits_of_size(tmp_path):
    assert "larger than 1 MB" in faults(written(tmp_path, "#" * 1_000_001))[0].fact
    assert "50,000 values" in faults(written(tmp_path, "a: [" + "1," * 50_000 + "1]"))[0].fact


def test_files_that_are_none(tmp_path):
    assert "no such file" in faults(tmp_path / "absent.yaml")[0].fact
    assert "folder" in faults(tmp_path)[0].fact
    assert "cannot be read" in faults(Path("x" * 5000))[0].fact
    with pytest.raises(ScenarioError, match="Did you mean valor"):
        load("valour")
    with pytest.raises(ScenarioError, match=r"\?nat\?.*:1:1: "):
        load("\nnat\x1b")


@pytest.mark.parametrize("ending", [".yaml", ".yml"])
def test_a_file_named_without_its_ending_is_suggested(ending, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()
    for file in (f"mine{ending}", f"valour{ending}", f"mine/other{ending}"):
        Path(file).write_text(BASE)
        for name in (file.removesuffix(ending), Path(file).absolute().with_suffix("")):
            (found,) = faults(name)
            assert found.remedy == f"Did you mean {printable(f'{name}{ending}')}?"
    assert "no such file" in faults("x" * 253)[0].fact


def test_a_newer_schema_version_says_so_and_an_older_one_is_migrated(tmp_path, monkeypatch):
    from simulator.language import loading

    monkeypatch.setitem(loading.MIGRATIONS, 0, lambda data: data | {"schema_version": 1, "title": "Migrated"})
    assert load(written(tmp_path, BASE.replace("schema_version: 1", "schema_version: 0"))).title == "Migrated"


# --- properties

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), min_size=1), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), min_size=1), PLAIN, min_size=1, max_size=5))
def test_what_is_written_as_yaml_reads_as_the_same(data):
    document = read(to_yaml(data).encode(), "f")
    assert document.faults == []
    assert document.data == data
    assert json.dumps(document.data) == json.dumps(data)


@given(st.integers(0, 2**32))
def test_the_order_of_sections_does_not_change_the_hash(seed):
    rng = random.Random(seed)
    scenario = load("valor")
    free = {"variants", "d50_months", "treatments", "arms", "strata", "allocation", "kinds", "shares"}

    def shuffled(node, key=None):
        if isinstance(node, list):
            return [shuffled(item) for item in node]
        if not isinstance(node, dict):
            return node
        items = [(name, shuffled(part, name)) for name, part in node.items()]
        if key not in free:
            rng.shuffle(items)
        return dict(items)

    data = shuffled(scenario.content())
    again = scenario.replace(data)
    assert again.sha256 == scenario.sha256
    assert again == scenario


def test_the_order_of_variants_strata_and_arms_is_part_of_the_hash():
    scenario = load("valor")
    seen = {scenario.sha256}
    for section in ("arms", "disease.variants"):
        data = scenario.content()
        for step in section.split("."):
            data = data[step]
        turned = scenario.replace({section: dict(reversed(data.items()))})
        assert turned != scenario
        seen.add(turned.sha256)
    assert len(seen) == 3


def test_the_name_of_the_file_is_not_part_of_the_hash(tmp_path):
    text = bundled()["valor"].read_text()
    other = load(written(tmp_path, text, "other.yaml"))
    assert other.sha256 == load("valor").sha256
    assert (other.name, load("valor").name) == ("other", "valor")


def leaves(node, path=()):
    if isinstance(node, dict) and "value" not in node:
        return list(itertools.chain(*(leaves(part, (*path, key)) for key, part in node.items())))
    if isinstance(node, list):
        return list(itertools.chain(*(leaves(part, (*path, i)) for i, part in enumerate(node))))
    return [path]


LEAVES = leaves(load("valor").content())
NUMBERS = [
    ".".join(map(str, path))
    for path in LEAVES
    if path[:2] in {("treatments", "tofersen"), ("visits", "noise"), ("progression", "survival")}
    and path[-1] in {"mean", "sd", "half_life_days", "csf_share", "recovery_cap", "svc_percent", "pav_probability"}
]


@given(st.sampled_from(NUMBERS), st.floats(0.001, 1))
def test_what_is_replaced_reads_back(address, value):
    scenario = load("valor")
    changed = scenario.replace({address: value})
    node = changed.numbers()
    for step in address.split("."):
        node = node[step]
    assert node == pytest.approx(value)
    assert changed.sha256 != scenario.sha256
    assert changed.replace({address: at(scenario.content(), address)}) == scenario


def at(data, address):
    for step in address.split("."):
        data = data[step]
    return data


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: ".".join(map(str, path)))
def test_every_address_of_the_complete_form_can_be_set_to_what_it_is(path):
    scenario = load("valor")
    data = scenario.content()
    for step in path:
        data = data[step]
    assert scenario.replace({".".join(map(str, path)): data}) == scenario


@given(st.integers(0, len(BASE)), st.text(st.characters(codec="utf-8"), max_size=6), st.integers(0, 12))
@pytest.mark.slow
def test_a_damaged_file_loads_or_has_faults_inside_the_file(tmp_path, place, extra, cut):
    text = BASE[:place] + extra + BASE[place + cut :]
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text)
    try:
        found = load(written(tmp_path, text)) and []
    except ScenarioError as error:
        found = error.errors or [None]
    for fault in found:
        assert str(fault).isprintable()
        assert 1 <= fault.line <= len(lines)
        assert 1 <= fault.column <= len(lines[fault.line - 1]) + 1


ANYTHING = st.sampled_from(
    [None, True, 0, -1, 0.5, 1e308, 10**400, "x", "12", "", "\x07", [], {}, [1], [None], [{}], {"a": 1}, {"value": 1}]
) | st.sampled_from(
    [
        *({"value": "x", "evidence": 3}, {"normal": None}, {"normal": [1]}, {"lognormal": {"median": 1}}),
        *(
            {"catalog": None},
            {"catalog": ["sod1"]},
            {"kind": [1]},
            {"kind": {}},
            {"model": [1]},
            {"value": {"value": 1}},
        ),
    ]
)
SECTIONS = sorted({path[:depth] for path in LEAVES for depth in range(1, len(path) + 1)}, key=str)


@given(st.sampled_from(SECTIONS), ANYTHING, st.sampled_from(["", "value", "kind", "catalog", "normal", "p.x"]))
@pytest.mark.slow
def test_anything_anywhere_is_valid_or_an_explained_fault(path, value, key):
    data = load("valor").content()
    node = data
    for step in path[:-1]:
        node = node[step]
    if key and isinstance(node[path[-1]], dict):
        node = node[path[-1]]
    else:
        key = path[-1]
    node[key] = value
    document = read(to_yaml(data).encode(), "f")
    try:
        found = build(document.data, document) and []
    except ScenarioError as error:
        found = error.errors or [None]
    for fault in found:
        assert str(fault).isprintable()
        assert not any(word in str(fault) for word in ("pydantic", "Input", "another value", "NoneType"))


# --- addresses


def test_replace_takes_subtrees_and_new_keys():
    scenario = load("valor").replace(
        {
            "arms.late": [{"treatments": ["tofersen"], "from_day": 364}],
            "treatments.care": {"kind": "hazard_multiplier", "value": 0.8},
            "arms.early_start.0.to_day": 1000,
            "entry.eligible.age_years": {"min": 18},
            "attrition": None,
            "disease.variants.p.Ala5Val": 0.1,
            "disease.variants.other": 0.88,
            "disease.variants.p.Gly38Arg": {"share": 0.02, "listed_fast": 0},
            "progression.d50_months.p.Gly38Arg": 150,
        }
    )
    assert list(scenario.arms) == ["untreated", "early_start", "delayed_start", "late"]
    assert scenario.arms["early_start"][0].to_day == 1000
    assert scenario.attrition is None
    assert list(scenario.disease.variants) == ["p.Ala5Val", "other", "p.Gly38Arg"]
    assert float(scenario.entry.eligible.age_years.min) == 18


def test_replace_keeps_what_belongs_to_a_variant():
    scenario = load("valor")
    half = scenario.replace({"disease.variants": {"p.Ala5Val": 0.5, "other": 0.5}})
    assert half.disease.variants["other"].listed_fast == scenario.disease.variants["other"].listed_fast
    share = {"value": 0.8809, "source": "a registry", "evidence": "published"}
    sourced = scenario.replace({"disease.variants.other": share}).disease.variants["other"]
    assert (sourced.share.evidence, float(sourced.listed_fast)) == ("published", 0.6)
    alone = scenario.replace({"disease.variants": {"p.Ala5Val": 1}})
    assert list(alone.progression.d50_months) == ["p.Ala5Val"]
    named = scenario.replace({"disease": {"catalog": "sod1", "variants": {"A4V": 0.5, "D90A": 0.5}}})
    assert list(named.progression.d50_months) == ["p.Ala5Val", "p.Asp91Ala"]


def test_replace_knows_new_variants_of_the_catalog_by_both_names():
    scenario = load("valor")
    mixed = scenario.replace({"disease.variants": {"A4V": 0.2, "H46R": 0.3, "other": 0.5}})
    assert list(mixed.disease.variants) == ["p.Ala5Val", "p.His47Arg", "other"]
    assert mixed.progression.d50_months["p.His47Arg"].lognormal.median.evidence == "derived"
    own = {"progression.d50_months.p.Ala5Val.lognormal.median": 20.0, "disease.variants": {"A4V": 0.2, "other": 0.8}}
    assert float(scenario.replace(own).progression.d50_months["p.Ala5Val"].lognormal.median) == 20
    shares = {name: float(part.share) for name, part in scenario.disease.variants.items()}
    assert scenario.replace({"disease.variants": shares}).sha256 == scenario.sha256


def test_replace_takes_numbers_of_other_libraries():
    numpy = pytest.importorskip("numpy")
    settings = {"patients": numpy.int64(7), "treatments.tofersen.effect.mean": numpy.float32(0.5)}
    scenario = load("valor").replace(settings)
    assert scenario.patients == 7
    assert float(scenario.treatments["tofersen"].effect.mean) == 0.5


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("treatments.tofersn.effect.mean", "Did you mean treatments.tofersen"),
        ("treatments.tofersen.effect.maen", "Did you mean mean"),
        ("arms.early_start.3.from_day", "index from 0 to 0"),
        ("arms.untreated.0.from_day", "Replace the whole list"),
        ("patients.many", "below a plain value"),
        ("", "a dot too many"),
        ("arms.", "a dot too many"),
        ("arms..late", "a dot too many"),
        ("adherence.missed", "whole section"),
        ("follow_up_months", "Write follow_up_days"),
    ],
)
def test_a_wrong_address_is_an_error_that_helps(address, words):
    with pytest.raises(ScenarioError) as caught:
        load("valor").replace({address: 1})
    assert words in str(caught.value)
    assert caught.value.errors[0].file == "valor.yaml"


def test_overrides_of_load_and_settings_of_the_terminal():
    assert parse_setting("a.b=0.5") == ("a.b", 0.5)
    assert parse_setting("a = {normal: {mean: 1, sd: 2}}") == ("a", {"normal": {"mean": 1, "sd": 2}})
    assert parse_setting("a=") == ("a", None)
    assert parse_setting("a=b=c") == ("a", "b=c")
    for wrong in ("a", "=3", "a=[1", "a={b: 1, b: 2}"):
        with pytest.raises(ScenarioError):
            parse_setting(wrong)
    assert load("valor", {"patients": 7}).patients == 7


def test_a_scenario_is_frozen_and_complete():
    scenario = load("valor")
    with pytest.raises(Exception, match="frozen"):
        scenario.patients = 3
    assert isinstance(scenario, Scenario)
    assert float(scenario.disease.variants["p.Ala5Val"].share) == 0.1191
    assert scenario.progression.d50_months["p.Ala5Val"].terms() == (True, 12.26, 0.329, float("-inf"), float("inf"))
    assert scenario.numbers()["progression"]["d50_months"]["other"] == {"lognormal": {"median": 76.41, "log_sd": 1.255}}
    assert scenario.output.every_days == 28


def test_valor_is_said_in_forty_lines():
    assert len(bundled()["valor"].read_text().splitlines()) <= 40


# --- JSON Schema

CHECKER = jsonschema.Draft202012Validator(schema())


@pytest.mark.parametrize("path", [*VALID, *bundled().values()], ids=lambda path: path.stem)
def test_the_schema_accepts_every_valid_file(path):
    assert [error.message for error in CHECKER.iter_errors(read(path.read_bytes(), path.name).data)] == []


@pytest.mark.slow
def test_the_schema_accepts_complete_forms_and_rejects_many_faults():
    jsonschema.Draft202012Validator.check_schema(schema())
    assert not list(CHECKER.iter_errors(load("valor").content()))
    rejected = 0
    for path in INVALID:
        try:
            document = read(path.read_bytes(), path.name)
        except ScenarioError:
            continue
        rejected += bool(list(CHECKER.iter_errors(document.data)))
    assert rejected >= 70


# --- terminal


def als_sim(*arguments, cwd=None):
    command = [sys.executable, "-c", "from simulator.cli.app import main; main()", *map(str, arguments)]
    top = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": top}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, check=False)


@pytest.mark.slow
def test_validate_prints_valid_files_and_all_faults(tmp_path):
    bad = CASES / "invalid" / "number_in_quotes.yaml"
    done = als_sim("validate", VALID[0], "valor", bad, tmp_path / "absent.yaml")
    assert done.returncode == 2
    assert done.stdout.splitlines() == [f"{VALID[0]}: valid", "valor: valid"]
    assert len(done.stderr.splitlines()) == 2
    assert f"{bad}:7:33: entry.disease_time.normal.mean: '0.46' is text" in done.stderr
    assert als_sim("validate", "valor").returncode == 0


@pytest.mark.slow
def test_init_list_show_schema(tmp_path):
    assert als_sim("init", "mine", "--from", "natural_history", cwd=tmp_path).returncode == 0
    text = (tmp_path / "mine.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=./scenario.schema.json\n")
    assert text.count("yaml-language-server") == 1
    assert load(tmp_path / "mine.yaml") == load("natural_history")
    assert json.loads((tmp_path / "scenario.schema.json").read_text()) == schema()
    again = als_sim("init", "mine", cwd=tmp_path)
    assert (again.returncode, (tmp_path / "mine.yaml").read_text()) == (2, text)
    assert als_sim("init", "mine", "--force", cwd=tmp_path).returncode == 0
    assert "Did you mean valor" in als_sim("init", "x", "--from", "valour", cwd=tmp_path).stderr
    listed = als_sim("list").stdout
    assert all(name in listed for name in bundled())
    shown = json.loads(als_sim("show", "valor", "--json").stdout)
    assert shown["sha256"] == load("valor").sha256
    assert "published" in als_sim("show", "valor").stdout
    assert json.loads(als_sim("schema").stdout) == schema()


@pytest.mark.slow
def test_validate_needs_no_heavy_library():
    code = (
        "import sys; from simulator.language import load; load('valor'); from simulator.cli import scenarios; "
        "print([m for m in ('numba', 'numpy', 'scipy', 'xarray', 'pandas', 'matplotlib') if m in sys.modules])"
    )
    top = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": top}, check=True
    )
    assert done.stdout.strip() == "[]"
    code = (
        "import sys; sys.argv = ['als-sim', 'validate', 'valor']\nfrom simulator.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('numba', 'scipy', 'xarray') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": top}, check=True
    )
    assert done.stdout.splitlines() == ["valor: valid", "[]"]


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ScenarioError([]), 2, ""),
        (SimulatorError("it failed"), 1, "it failed"),
        (ResourceError("no memory left"), 3, "no memory left"),
        (MemoryError(), 3, "memory"),
        (ModuleNotFoundError("No module named 'dask'", name="dask"), 3, "dask"),
        (FileNotFoundError(2, "No such file or directory", "a.nc"), 1, "a.nc: No such file"),
        (KeyboardInterrupt(), 130, "Interrupted"),
        (ZeroDivisionError("division by zero"), 1, "--debug"),
    ],
    ids=lambda part: type(part).__name__,
)
def test_errors_end_with_their_code_and_one_line(error, code, words, capsys, monkeypatch):
    @friendly
    def command():
        raise error

    monkeypatch.delenv("ALS_SIM_DEBUG", raising=False)
    with pytest.raises(typer.Exit) as caught:
        command()
    shown = capsys.readouterr().err
    assert caught.value.exit_code == code
    assert words in shown
    assert shown.count("\n") <= 1
    monkeypatch.setenv("ALS_SIM_DEBUG", "1")
    with pytest.raises(type(error)):
        command()


def test_a_wheel_carries_its_scenarios_inside(tmp_path, monkeypatch):
    from simulator.language import loading

    (tmp_path / "scenarios" / "deep").mkdir(parents=True)
    written(tmp_path / "scenarios" / "deep", BASE, "one.yaml")
    monkeypatch.setattr(loading.resources, "files", lambda package: tmp_path)
    assert list(bundled()) == ["deep/one"]
    assert load("deep/one").name == "one"


def test_a_question_about_what_is_gone_goes_with_it():
    valor = load("valor")
    assert valor.sensitivity is not None
    assert valor.replace({"follow_up_days": 728, "trial": None}).sensitivity is None
    assert valor.replace({"follow_up_days": 1100}).sensitivity == valor.sensitivity
    assert valor.replace({"arms": {"untreated": []}, "trial": None}).sensitivity is None
    with pytest.raises(ScenarioError, match="there is no arm early_start"):
        valor.replace({"arms": {"untreated": []}, "trial": None, "sensitivity.day": 364})
    asked = load(CASES / "valid" / "decision.yaml")
    gone = asked.replace({"arms": {"treated": [], "other": []}})
    assert gone.decision is None
    assert gone.sensitivity is None


def test_what_a_decision_assumes_otherwise_must_be_a_scenario(tmp_path):
    """Faults of an entry of `decision.scenarios` are those of the scenario with it, at the entry."""
    text = bundled()["worth_treating_uk"].read_text("utf-8")
    file = tmp_path / "a.yaml"
    file.write_text(text.replace("no discount: {decision.discount_per_year: 0}", "free: {decision.nonsense: 0}"))
    with pytest.raises(ScenarioError) as caught:
        load(file)
    (fault,) = caught.value.errors
    assert fault.address == "decision.scenarios.free"
    assert fault.fact.startswith("with it decision")
    assert text.splitlines()[fault.line - 1].strip().startswith("no discount")
