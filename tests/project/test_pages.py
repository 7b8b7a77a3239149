"""Every command that a page prints runs, in the order of the page, in a folder of its own.

Runs are made smaller: what is tested is that the command works as written, not its figures.
"""

import re
import shlex
from html import unescape
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simulator.cli.app import app
from simulator.language import ScenarioError, load
from simulator.language.listing import start

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted(page for page in (ROOT / "docs").rglob("*.md") if page.parent.name != "reference")]
"""Written pages; those of `docs/reference` are made when pages are built."""
MOST = {"-n": 60, "--replicates": 8, "--draws": 2, "--draw-patients": 10}
"""Options whose numbers are cut down."""
RUNS = {
    "run": {"-n": "60"},
    "sensitivity": {"-n": "20"},
    "sweep": {"-n": "60"},
    "decide": {"-n": "20", "--draws": "2", "--replicates": "2", "--draw-patients": "10"},
}
"""What is added where the option is not there."""
POINTS = {"sobol": "2", "morris": "2", "ensemble": "100", "evpi": "100"}
"""Points of a sensitivity analysis, by method."""
ELSEWHERE = {
    "data": "test_data_cli.py",
    "analyse": "test_data_cli.py",
    "twins": "test_twins.py",
    "calibrate": "test_calibrate.py",
    "explore": "test_explorer.py",
    "evidence": "test_evidence.py",
    "--show-completion": "the shell",
}
"""Commands that take minutes, or a shell, and where they are tested; here their options are parsed."""
OTHERS = re.compile(r"(python3? |uv |bash |pip |\.venv/bin/|(\. )?\.venv/)")
TUTORIAL = ROOT / "docs" / "tutorial.md"


def lines_of(page: Path) -> list[str]:
    """The lines of a page's blocks of shell."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line and not line.startswith("#")]


def commands_of(page: Path) -> list[list[str]]:
    """Those of them that are ours, as words."""
    return [shlex.split(line, comments=True) for line in lines_of(page) if line.startswith("als-sim ")]


def smaller(words: list[str]) -> list[str]:
    """The command with fewer patients, replicates and draws."""
    found = list(words)
    for k, word in enumerate(words[:-1]):
        if word in MOST:
            found[k + 1] = str(min(MOST[word], int(words[k + 1])))
    for option, number in RUNS.get(words[1], {}).items():
        found += [] if option in found else [option, number]
    methods = [one for one in found if words[1] == "sensitivity" and one in POINTS]
    return found + [part for method in methods for part in ("--points", POINTS[method])]


WITH_COMMANDS = [page for page in PAGES if commands_of(page) and page.name not in ("own_patients.md", "fit.md")]
"""`test_twins.py` runs the commands of the page that is left out, on the files that it needs."""


def test_there_are_pages_with_commands():
    assert len(WITH_COMMANDS) > 4


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_line_is_a_command_we_know(page):
    assert not [line for line in lines_of(page) if not line.startswith("als-sim ") and not OTHERS.match(line)]


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in tutorial_first(page):
        asked = [*words[:2], "--help"] if words[1] in ELSEWHERE else smaller(words)
        done = CliRunner().invoke(app, asked[1:])
        assert done.exit_code == 0, (words, done.output)


def tutorial_first(page: Path) -> list[list[str]]:
    """The commands of a page; the recipes take their files from the tutorial."""
    mine = commands_of(page)
    return [*commands_of(TUTORIAL), *mine] if page.name == "howto.md" else mine


def edited(copy: str) -> str:
    """The tutorial's copy of a scenario with the lines that the page shows in the place of those it had."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", TUTORIAL.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) == 5
    for line in lines:
        key = line.partition(":")[0]
        copy, found = re.subn(rf"^{key}:.*$", line, copy, flags=re.MULTILINE)
        assert found == 1, key
    return copy


def test_the_tutorials_changes_are_valid_and_its_slip_is_told_as_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (made, *_) = start("mine", "valor")
    made.write_text(edited(made.read_text("utf-8")))
    scenario = load(made)
    assert [float(part.share) for part in scenario.disease.variants.values()] == [0.5, 0.2, 0.3]
    assert (scenario.arms["delayed_start"][0].from_day, scenario.title[:8]) == (91, "Half A4V")
    made.write_text(made.read_text("utf-8").replace("from_day: 91", "from_days: 91"))
    with pytest.raises(ScenarioError) as error:
        load(made)
    assert str(error.value.errors[0]) in TUTORIAL.read_text("utf-8")


@pytest.mark.slow
def test_a_command_that_does_not_exist_would_be_found(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("```sh\nals-sim list\nals-sim lisst\n```\n")
    with pytest.raises(AssertionError):
        test_the_commands_of_a_page_run(page, tmp_path, monkeypatch)


@pytest.mark.slow
def test_the_readme_shows_what_its_command_prints(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture = (ROOT / "docs" / "pictures" / "answer.svg").read_text("utf-8")
    shown = [unescape(row) for row in re.findall(r"<text [^>]*>(.*?)</text>", picture)]
    assert shown[0] == "$ als-sim run valor"
    printed = iter(CliRunner().invoke(app, ["run", "valor"]).stdout.splitlines())
    for line in shown[1:]:
        assert line in printed, line  # in the order in which they are printed


def test_pages_show_pictures_that_are_there():
    for page in PAGES:
        for place in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text("utf-8")):
            assert (page.parent / place).is_file(), (page, place)
    assert (ROOT / "README.md").read_text("utf-8").count("](docs/pictures/") == 2


def test_equations_name_the_code_that_computes_them():
    """Each section of equations names files and functions; they are there."""
    text = (ROOT / "docs" / "model.md").read_text("utf-8")
    sections = re.split(r"(?m)^## ", text)[1:11]
    assert len(sections) == 10
    for section in sections:
        told = re.search(r"In the code: (.+?)\n\n", section, re.DOTALL)
        assert told, section.partition("\n")[0]
        for file, names in re.findall(r"`(simulator/[\w/]+\.py)`: ([^;.]+)", told[1]):
            code = (ROOT / file).read_text("utf-8")
            for name in re.findall(r"`(\w+)`", names):
                assert re.search(rf"^def {name}\(", code, re.MULTILINE), f"{file}: {name}"
