"""The structure of the project: imports point down, files are small, names and versions agree, nothing leaks."""

import ast
import builtins
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

import simulator
from simulator.analysis.trial.errors import AnalysisError
from simulator.results.errors import ResultError

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = {contract["id"]: contract["name"] for contract in PROJECT["tool"]["importlinter"]["contracts"]}
SOURCES = sorted((ROOT / "simulator").rglob("*.py"))
SUFFIXES = {".py", ".md", ".toml", ".yaml", ".yml", ".cff", ".lock", ".c", ".csv", ".json", ".txt"}
FOLDERS = ("simulator", "scenarios", "tests", "benchmarks", "docs", ".ci")
LONGEST_FILE, LONGEST_BODY = 400, 50
BUILT_IN = {name for name, one in vars(builtins).items() if isinstance(one, type) and issubclass(one, BaseException)}

# One wrong import for each contract; each must break that contract.
PLANTED = {
    "layers": ("units.py", "import simulator.run"),
    "validate": ("language/__init__.py", "import numba"),
    "engine": ("engine/__init__.py", "import simulator.quantities"),
    "spec": ("models/clock/spec.py", "import simulator.engine"),
    "datasets": ("datasets/__init__.py", "import xarray"),
    "readers": ("results/__init__.py", "import simulator.models"),
}


def lint(folder: Path) -> subprocess.CompletedProcess:
    """Run the import contracts of `folder` on the package that lies there."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of the package and its contracts."""
    folder = tmp_path_factory.mktemp("package")
    shutil.copytree(ROOT / "simulator", folder / "simulator", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_imports_point_down():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(CONTRACTS)} kept, 0 broken" in done.stdout


def test_every_contract_has_a_planted_import():
    assert set(PLANTED) == set(CONTRACTS)


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_import_is_found(copy, contract):
    name, line = PLANTED[contract]
    path = copy / "simulator" / name
    before = path.read_text()
    path.write_text(f"{before}\n{line}\n")
    try:
        done = lint(copy)
    finally:
        path.write_text(before)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{CONTRACTS[contract]} BROKEN" in done.stdout


def test_a_module_without_a_layer_is_found(copy):
    stray = copy / "simulator" / "stray.py"
    stray.write_text('"""In no layer."""\n')
    try:
        done = lint(copy)
    finally:
        stray.unlink()
    assert done.returncode == 1
    assert "simulator.stray" in done.stdout


def cycles(folder: Path) -> list[list[str]]:
    """The groups of files of the package in `folder` that import each other in a circle, inside functions too."""
    code = (
        "import json, grimp; g = grimp.build_graph('simulator', cache_dir=None, exclude_type_checking_imports=True); "
    )
    code += "print(json.dumps({m: sorted(g.find_modules_directly_imported_by(m)) for m in sorted(g.modules)}))"
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=folder, capture_output=True, check=True)
    imports = json.loads(done.stdout)
    number = {module: place for place, module in enumerate(imports)}
    ends = [(number[module], number[other]) for module, others in imports.items() for other in others]
    graph = coo_array((np.ones(len(ends)), np.transpose(ends)), shape=(len(number), len(number)))
    _, group = connected_components(graph, connection="strong")
    groups = [[module for module in imports if group[number[module]] == one] for one in np.unique(group)]
    return [modules for modules in groups if len(modules) > 1]


def test_no_file_imports_itself_by_way_of_others():
    assert cycles(ROOT) == []


def test_a_planted_cycle_is_found(copy):
    file = copy / "simulator" / "units.py"
    text = file.read_text()
    try:
        file.write_text(f"{text}\n\ndef late():\n    import simulator.language\n")
        assert any("simulator.units" in group for group in cycles(copy))
    finally:
        file.write_text(text)


def test_there_are_sources():
    assert len(SOURCES) > 20


def test_no_test_imports_another():
    """What several tests use lies in `tests/support`."""
    tests = sorted((ROOT / "tests").rglob("test_*.py"))
    nodes = [(path, node) for path in tests for node in ast.walk(ast.parse(path.read_text()))]
    named = [(path.name, node.module or "") for path, node in nodes if isinstance(node, ast.ImportFrom)]
    named += [(path.name, one.name) for path, node in nodes if isinstance(node, ast.Import) for one in node.names]
    assert len(tests) > 100
    assert not [(path, module) for path, module in named if module.rpartition(".")[2].startswith("test_")]


def test_the_tests_of_a_package_lie_in_a_folder_of_its_name():
    packages = {path.parent.name for path in (ROOT / "simulator").glob("*/__init__.py")}
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert folders - packages == {"laws", "oracle", "project"}
    assert not list((ROOT / "tests").glob("test_*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_small(path):
    text = path.read_text()
    assert text.count("\n") <= LONGEST_FILE
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    too_long = {node.name: body_lines(node) for node in functions if body_lines(node) > LONGEST_BODY}
    assert not too_long


@pytest.mark.slow
def test_every_error_is_a_simulator_error():
    bases = {
        (path.name, node.name)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and {ast.unparse(base) for base in node.bases} & BUILT_IN
    }
    assert bases == {
        ("errors.py", "SimulatorError"),
        ("batches.py", "NoPatient"),  # the engine's, put in words by `run`
        ("jit.py", "DamagedKernelError"),  # caught where kernels are read: they are compiled again
        ("study.py", "_Designed"),  # no error: it ends an analysis whose points alone are wanted
    }
    assert issubclass(AnalysisError, simulator.SimulatorError)
    assert issubclass(ResultError, simulator.SimulatorError)


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body, its docstring apart."""
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def written_files() -> list[Path]:
    """Every text file of the project, this one apart: it has to spell out what it forbids."""
    nested = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    files = [path for path in [*ROOT.iterdir(), *nested] if path.is_file()]
    wanted = [path for path in files if path.suffix in SUFFIXES or path.parent.name == ".ci"]
    return [path for path in wanted if path != Path(__file__).resolve() and "__pycache__" not in path.parts]


@pytest.mark.parametrize(
    "word",
    [
        r"/root\b", r"/home/", r"/Users/", r"/tmp/", r"/opt/", r"\bC:\\",
        r"pypi\.org", r"pythonhosted", r"index-url", r"find-links", r"registry\.npmjs", r"localhost", r"\bfile://",
        r"\bBEGIN [A-Z ]*PRIVATE KEY", r"shared/",
    ],
)  # fmt: skip
def test_nothing_leaks(word):
    files = written_files()
    assert len(files) > 30
    allowed = (
        "--no-emit-index-url",  # the option that keeps addresses out of the lock
        'ADDRESS, NAME = "127.0.0.1", "localhost"',  # where the explorer may be reached
    )
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if line not in allowed and re.search(word, line.replace(allowed[0], ""))
    ]
    assert not found


def test_the_lock_has_hashes_and_no_addresses():
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    requirements = re.findall(r"^[a-z0-9](?:[^\n]*\\\n)*[^\n]*", text, re.MULTILINE)
    assert len(requirements) > 30
    assert not [entry.split()[0] for entry in requirements if "--hash=sha256:" not in entry]


def test_the_lock_names_every_dependency():
    locked = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [*PROJECT["project"]["dependencies"], *(entry for extra in extras.values() for entry in extra)]
    names = {re.split(r"[<>=!\[ ]", entry)[0].replace(".", "-").lower() for entry in wanted} - {"als-simulator"}
    assert names
    assert names <= locked


def sh_blocks() -> list[list[str]]:
    """The README's blocks of shell, as lists of lines."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    return [block.splitlines() for block in blocks]


def test_the_first_two_blocks_are_one_command_each():
    first, second = sh_blocks()[:2]
    assert len(first) == len(second) == 1
    assert first[0].startswith("python3 -m venv .venv && ")
    assert first[0].endswith("als-sim run valor")
    assert second[0].startswith("python3 -m venv .venv && ")
    assert " -m pytest" in second[0]


def test_every_shell_line_is_a_command():
    lines = [line for block in sh_blocks() for line in block]
    assert lines
    assert all(re.match(r"(python3|als-sim|uv|bash) ", line) for line in lines)


def test_versions_agree():
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "simulator/version.py"
    version = simulator.__version__
    assert re.search(rf"^version: {re.escape(version)}$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert re.findall(r"^## \[(\d[^\]]*)\]", changelog, re.MULTILINE)[0] == version
    assert "### Changes results" in changelog


WRITTEN = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def sections(page: Path) -> set[str]:
    """What links may end with: the headings of a page, as GitHub and the site name them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def lost(page: Path) -> list[str]:
    """The links of a page that lead to no file or to no heading."""
    links = re.findall(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)]*))?\)", page.read_text("utf-8"))
    places = [((page.parent / link if link else page), link, section) for link, section in links]
    return [
        f"{link}#{section}"
        for place, link, section in places
        if not place.exists() or (section and place.suffix == ".md" and section not in sections(place))
    ]


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(path):
    assert not lost(path)


def test_a_link_to_a_missing_file_or_heading_would_be_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A heading, once\n[a](page.md#a-heading-once) [b](#a-heading) [c](gone.md) [d](https://x.org/y#z)\n"
    )
    assert lost(page) == ["#a-heading", "gone.md#"]
