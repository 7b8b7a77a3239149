"""What is needed is listed with its licence, and every licence lets this program be used and passed on."""

import json
import re
import tomllib

import pytest
from typer.testing import CliRunner

from simulator.cli.app import app
from simulator.studies.dependencies import USED, dependencies, licence

FREE = re.compile(r"\b(BSD|0BSD|MIT|MIT-CMU|Apache|ISC|PSF|Python Software Foundation|Zlib|CC0|MPL)\b")
BOUND = re.compile(r"\b(A?GPL|LGPL|SSPL|BUSL|Proprietary|Commercial)", re.IGNORECASE)


@pytest.fixture(scope="module")
def needed():
    return dependencies()


def test_every_licence_is_stated_and_free(needed):
    for one in needed:
        parts = re.split(r" AND | OR |, | and ", one.licence)
        assert all(FREE.search(part) and not BOUND.search(part) for part in parts), one


def test_all_that_the_project_names_is_listed_and_locked(needed, root):
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    texts = [*project["dependencies"], *(text for name in USED if name for text in extras[name])]
    names = {re.split(r"[><=~!\[; ]", text)[0].lower().replace(".", "-").replace("_", "-") for text in texts}
    assert {"tables", "excel", "sensitivity", "cluster"} == set(USED) - {""}
    assert names <= {one.name for one in needed if one.needed_by == "als-simulator"}
    lock = (root / "requirements.lock").read_text("utf-8").lower().replace("_", "-").replace(".", "-")
    assert not [one.name for one in needed if not re.search(rf"^{re.escape(one.name)}==", lock, re.MULTILINE)]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"License-Expression": "MIT", "License": "other"}, "MIT"),
        ({"Classifier": "License :: OSI Approved :: MIT License"}, "MIT License"),
        ({"License": "BSD\nlong text"}, "BSD"),
        ({}, "not stated"),
    ],
)
def test_a_licence_is_found_wherever_metadata_have_it(fields, told):
    from email.message import Message

    about = Message()
    for key, value in fields.items():
        about[key] = value
    assert licence(about) == told


@pytest.mark.slow
def test_doctor_prints_it(needed):
    text = CliRunner().invoke(app, ["doctor", "--licences"])
    assert text.exit_code == 0, text.output
    assert [line.split()[0] for line in text.stdout.splitlines()] == [one.name for one in needed]
    found = json.loads(CliRunner().invoke(app, ["doctor", "--licences", "--json"]).stdout)
    assert found == [one._asdict() for one in needed]
