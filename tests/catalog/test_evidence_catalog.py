"""Published facts, curves, claims: every row has a source and a grade, says whether it was read, and can be shown."""

import json
import re
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from simulator import catalog
from simulator.catalog.claims import Claim, claims
from simulator.catalog.facts import Fact, facts, points, sources
from simulator.cli.app import app
from simulator.cli.scenarios import show
from simulator.language import load
from simulator.language.catalogued import catalogued
from simulator.studies.variants import ROWS, survival_months

FACT = {"id": "X-01", "quantity": "q", "population": "p", "value": "1", "unit": "points", "role": "context",
        "source": "bali2017", "evidence": "published", "read_in_source": "true", "confidence": "high"}  # fmt: skip
SOURCED = [*facts().values(), *points().values()]


def test_there_are_rows():
    assert (len(facts()), len(points()), len(claims())) == (293, 118, 26)
    assert sum(fact.role == "calibration" for fact in facts().values()) == 61
    assert sum(fact.role == "validation" for fact in facts().values()) == 80


@pytest.mark.parametrize("row", SOURCED, ids=lambda row: row.id)
def test_every_row_has_a_source_and_a_grade(row):
    assert row.source in sources()
    assert row.cited.startswith(sources()[row.source].citation)
    if isinstance(row, Fact):
        assert (row.evidence == "assumed") == (not row.read_in_source)
    else:
        assert row.evidence == {"printed": "published", "plot": "derived"}[row.reading]


def test_every_source_is_used_and_papers_have_a_doi():
    assert {row.source for row in SOURCED} == set(sources())
    without = {key for key, source in sources().items() if "et al." in source.citation and not source.doi}
    assert without == {
        "fang2023",
        "ferraro2016",
        "hotchkin2026",
        "lange2017",
        "meyer2024",
        "moore2019",
        "panchabhai2019",
        "sabatelli2024",
    }
    assert all(re.fullmatch(r"10\.\d{4,}/\S+", source.doi) for source in sources().values() if source.doi)


@pytest.mark.parametrize(
    "change",
    [{"source": ""}, {"evidence": ""}, {"evidence": "certain"}, {"role": "fit"}, {"value": "nan"}, {"low": "1"},
     {"interval_kind": "ci90"}, {"colour": "red"}, {"confidence": ""}],
)  # fmt: skip
def test_a_row_without_source_or_grade_is_refused(change):
    Fact.model_validate(FACT)
    with pytest.raises(ValidationError):
        Fact.model_validate(FACT | change)


def test_rows_cannot_be_changed():
    with pytest.raises(ValidationError):
        facts()["VAL-14"].value = 0


def test_an_interval_surrounds_its_value():
    inside = [row for row in SOURCED if row.interval and row.value is not None]
    assert len(inside) > 50
    assert all(row.interval[0] <= row.value <= row.interval[1] for row in inside)


# Entered a second time and compared.
TWICE = {
    "VAL-14": (-6.98, (-9.78, -4.18), 39, "calibration"),
    "VAL-16": (1.2, (-3.2, 5.5), 60, "calibration"),
    "VAL-35": (3.5, (0.4, 6.7), 108, "validation"),
    "VAL-39": (0.36, (0.137, 0.941), 108, "validation"),
    "NH-01": (1.2, None, 63, "calibration"),
    "GEN-15": (25, None, 3132, "context"),
    "P2-012": (0.312, (0.27, 0.35), 1818, "calibration"),
    "P2-NEW-179": (0.19, (0.06, 0.9), None, "validation"),
    "alsfrs_r_change/faster/delayed_start/28": (-8.14, (-11.69, -4.59), 21, "calibration"),
    "event_free_share/faster/early_start/76": (0.65, None, 39, "validation"),
}


@pytest.mark.parametrize("key", TWICE)
def test_rows_equal_what_was_entered_twice(key):
    row = (facts() | points())[key]
    assert (row.value, row.interval, row.n, row.role) == TWICE[key]


def test_a_printed_point_equals_the_fact_it_repeats():
    for fact, point in (("VAL-14", "faster/early_start"), ("VAL-15", "faster/delayed_start")):
        assert facts()[fact].value == points()[f"alsfrs_r_change/{point}/28"].value


def test_claims_point_to_facts():
    assert all(key in facts() for claim in claims().values() for key in claim.evidence)
    with pytest.raises(ValidationError):
        Claim(id="A99", claim="c", article="a", published="p", verdict="true")


ENTRIES = ["sod1", "tofersen", "measurement", "als", "care", "tofersen_safety", "utilities", "calibrated"]
ENTRIES += ["calibrated_regions", "tofersen_regions"]
ENTRIES += [
    "costs_usa",
    "costs_uk",
    "biib078",
    "ulefnersen",
    "riluzole",
    "edaravone",
    "non_invasive_ventilation",
    "gastrostomy",
]
SHOWN_BY_SCENARIOS = {"fus", "c9orf72"}
"""Entries that share their name with a scenario, which is shown instead, with the entry's values in it."""
NAMES = ["facts", "curves", "claims", "VAL-14", "A03", next(iter(points())), *ENTRIES]


@pytest.mark.parametrize("name", NAMES)
def test_show_prints_the_catalog(name):
    shown = CliRunner().invoke(app, ["show", name])
    assert shown.exit_code == 0
    listed = catalogued(name)
    assert [str(value) for value in listed] == shown.stdout.splitlines()
    assert all(value.evidence for value in listed)
    assert len(json.loads(CliRunner().invoke(app, ["show", name, "--json"]).stdout)["values"]) == len(listed)


def test_a_terminal_shows_long_lines_within_80_columns(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    show("sod1")
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    assert "\n    " in text
    assert text.split() == CliRunner().invoke(app, ["show", "sod1"]).stdout.split()


@pytest.mark.parametrize("name", ["valor", "sod1", "VAL-14"])
def test_what_is_to_be_cited_stands_once_without_places(name):
    cited = CliRunner().invoke(app, ["show", name, "--citations"]).stdout.splitlines()
    assert cited
    assert len(set(cited)) == len(cited)
    assert any("doi:10.1056/NEJMoa2204705" in one for one in cited)
    assert not any("; " in one.partition("doi:")[2] for one in cited)
    found = json.loads(CliRunner().invoke(app, ["show", name, "--citations", "--json"]).stdout)
    assert found == {"citations": cited}
    if name == "valor":
        assert cited == list(load(name).citations())


def test_every_entry_can_be_shown():
    entries = [name for kind in catalog.KINDS for name in catalog.names(kind)]
    assert set(entries) <= {*NAMES, *SHOWN_BY_SCENARIOS}
    for name in SHOWN_BY_SCENARIOS:
        shown = CliRunner().invoke(app, ["show", name]).stdout
        assert f"disease.name = {catalog.entry('disease', name)['disease']['name']}" in shown
    assert all(catalogued(name) for name in entries)


def test_a_file_comes_before_the_catalog(tmp_path, monkeypatch):
    valor = Path(__file__).parents[2] / "scenarios" / "valor.yaml"
    (tmp_path / "sod1").write_bytes(valor.read_bytes())
    monkeypatch.chdir(tmp_path)
    assert "title = VALOR" in CliRunner().invoke(app, ["show", "sod1"]).stdout


@pytest.mark.parametrize("model", ["clock", "regions"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.variant)
def test_stored_d50_meets_the_row_it_was_solved_for(row, model):
    d50 = catalog.entry("disease", "sod1")["progression"][model]["d50_months"][row.variant]["lognormal"]["median"]
    fact = facts()[row.fact]
    months = fact.value * (12 if fact.unit == "years" else 1)
    found = survival_months(row.variant, d50["value"], row.statistic, patients=10_000, model=model)
    assert found == pytest.approx(months, rel=0.03 if model == "clock" else 0.06)  # three times as wide in D50
    assert (d50.get("read_in_source") is False) == (not fact.read_in_source and d50["evidence"] == "derived")
