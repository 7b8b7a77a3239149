"""What people type and search for leads somewhere: the help of every command, the glossary, errors as JSON."""

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import simulator
from simulator.analysis.trial.registry import ANALYSES
from simulator.cli.app import app
from simulator.cli.evidence_tables import _targets
from simulator.cli.help_text import EXAMPLES, LISTS
from simulator.cli.run import show
from simulator.cli.tables import tell
from simulator.errors import absent
from simulator.language.loading import bundled
from simulator.measures.outcome import OUTCOMES
from simulator.report.kinds import Kind, SensitivityKind, SweepKind, TrialKind, TwinsKind
from simulator.studies.evidence.cells import HEADER

GLOSSARY = Path(__file__).resolve().parents[2] / "docs" / "glossary.md"
SEARCHED = """ADaM, adherence, adverse events, ALSFRS-R slope, ANCOVA, A4V, ASO, as if alive, biomarker, C9orf72, CAFS,
calibration, carrier, censoring, common random numbers, cost-effectiveness, counterfactual, coverage, Cox, credibility,
delayed start, digital twin, dropout, edaravone, estimand, EVPI, external control, FVC, gastrostomy, hazard ratio, ICER,
intercurrent event, interim analysis, Kaplan–Meier, King's, left truncation, log-rank, MiToS, MMRM, MNAR,
multiple imputation, natural history, neurofilament, NIV, NNT, open-label extension, phenoconversion, power,
principal stratum, PRO-ACT, PROCOVA, progression rate, QALY, responder, riluzole, RMST, sample size, survival, tofersen,
tornado, tracheostomy, type I error, virtual patient, win ratio"""
WORDS = [word.strip() for word in SEARCHED.replace("\n", " ").split(",")]


def rows():
    """The entries of the glossary: word, meaning, page, command."""
    entry = re.compile(r"^\* \*\*(.+?)\*\*: (.+)\. (\[[^\]]+\]\([^)]+\))(?:, (.*))?$", re.MULTILINE)
    found = entry.findall(GLOSSARY.read_text("utf-8"))
    assert len(found) == GLOSSARY.read_text("utf-8").count("\n* ")
    return found


def commands():
    """Every command that has work to do, by its words."""
    group = get_command(app)
    return {
        " ".join((name, *part)): one
        for name, command in group.commands.items()
        for part, one in (
            [((key,), below) for key, below in command.commands.items()]
            if hasattr(command, "commands")
            else [((), command)]
        )
    }


@pytest.mark.slow
def test_help_has_examples_that_the_command_understands():
    assert set(commands()) <= set(EXAMPLES)
    for name in commands():
        text = CliRunner().invoke(app, [*name.split(), "--help"]).stdout
        assert max(map(len, text.splitlines())) <= 80, name
        assert not re.search(r"<int range>|<str>|<Any>|<path>", text), name
        for example in EXAMPLES[name]:
            assert f"  {example}\n" in text
            words = shlex.split(example.partition(">")[0])
            assert words[: 1 + len(name.split())] == ["als-sim", *name.split()]
            assert {word for word in words if word.startswith("-")} <= set(re.findall(r"(?<![\w-])--?[\w-]+", text))


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("run", bundled()),
        ("trial", ANALYSES),
        ("analyse", ANALYSES),
        ("sensitivity", OUTCOMES),
        ("sweep", OUTCOMES),
        ("plot", [*Kind, *TrialKind, *SweepKind, *SensitivityKind, *TwinsKind]),
    ],
)
def test_names_are_listed_with_a_line_each(command, names):
    listed = {name: text for _, lines in LISTS[command] for name, text in lines()}
    assert set(map(str, names)) <= set(listed)
    assert all(listed.values())


@pytest.mark.parametrize("word", WORDS)
def test_a_word_that_people_search_for_leads_to_a_page(word):
    found = [row for row in rows() if word.lower() in row[0].lower()]
    assert found, word
    for _, meaning, page, _ in found:
        assert meaning
        assert (GLOSSARY.parent / re.search(r"\]\(([^)#]+)", page)[1]).is_file()


def test_commands_and_analyses_of_the_glossary_exist():
    known = commands()
    for _, _, _, cell in rows():
        for text in re.findall(r"`([^`]+)`", cell):
            words = text.split()
            if words[0] == "als-sim":
                assert words[1] in known or " ".join(words[1:3]) in known, text
                assert {word for word in words[2:] if word.islower() and "_" in word} <= set(bundled()), text
            elif words[0] == "--analysis":
                assert words[1] in ANALYSES


def test_errors_are_json_where_json_is_asked_for():
    done = CliRunner().invoke(app, ["run", "valor", "--set", "patiens=1", "--json"])
    error = json.loads(done.stdout)["error"]
    assert (done.exit_code, error["exit_code"]) == (2, 2)
    assert error["faults"][0]["remedy"] == "Did you mean patients?"
    assert error["message"] == done.stderr.strip()
    assert CliRunner().invoke(app, ["run", "nosuch"]).stdout == ""


def test_evidence_fits_eighty_columns():
    row = ["VAL-11", "Time from symptom onset (median), " * 4, "-11.42 (-21.70 to -14.60)", "-17.12 ± 0.00044", "-12.3"]
    lines = [
        line for one in _targets([HEADER, [*row, "design", "beyond 2 SE [conflict 9]"]]) for line in one.split("\n")
    ]
    assert max(map(len, lines)) <= 80
    assert "beyond 2 SE [conflict 9]" in " ".join(" ".join(lines).split())


@pytest.mark.parametrize("words", [["run", "valor", "--nope"], ["run"], ["plot", "x", "nothing"], ["data", "check"]])
def test_wrong_usage_is_told_as_json_too(words):
    done = CliRunner().invoke(app, [*words, "--json"])
    told = json.loads(done.stdout)["error"]
    assert told["exit_code"] == done.exit_code == 2
    assert told["message"]
    assert not CliRunner().invoke(app, words).stdout


def test_what_is_not_there_is_said_in_one_way():
    """Law: a name that is not among those there are is refused by `absent`, with all there are."""
    told = absent("arm", "early", ["untreated", "early_start"])
    assert told == "there is no arm 'early'. Did you mean early_start? Arms: untreated, early_start"
    assert absent("day", 3, [196.0, 364.0], where="forest") == "forest has no day 3. Days: 196, 364"
    assert absent("analysis", "x\ny", [], "analyses") == "there is no analysis 'x?y'. Analyses: none"
    own = re.compile(r"; there are \{|; it has \{|is none of \{|no \w+ \{\w+(!r)?\}\. Choose from")
    files = Path(simulator.__file__).parent.rglob("*.py")
    assert [file.name for file in files if own.search(file.read_text("utf-8"))] == []


def test_text_for_people_has_minus_signs_and_json_has_none(capsys):
    tell("-1.5 ± 0.2 (-2 to -1), 2-3 days, VAL-14, -n 5")
    assert capsys.readouterr().out == "−1.5 ± 0.2 (−2 to −1), 2-3 days, VAL-14, -n 5\n"
    show({"x": -1.5}, True, str)
    assert json.loads(capsys.readouterr().out) == {"x": -1.5}
