"""Commands on a disk that is too small for their files: a file system of its own, or files that may not grow."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import simulator as sim
from simulator.errors import SimulatorError
from simulator.results.files import PART
from tests.fuzz.cases import files, started, surroundings, words_of

PAGE, ROOM = 4096, 1 << 28
LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size})); "
WHOLE, KEPT = "The study there is whole", "is kept there"


@cache
def mounts(place: Path) -> bool:
    """Whether this process may make file systems: root may."""
    try:
        with disk(place / "tried", PAGE):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


@contextmanager
def disk(place: Path, size: int) -> Iterator[None]:
    """A file system of so many bytes at a place, as long as it is needed."""
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True)


def grow(place: Path) -> None:
    """Make room."""
    subprocess.run(["mount", "-o", f"remount,size={ROOM}", place], check=True)


@cache
def whole(command: tuple[str, ...], place: Path) -> dict[str, bytes]:
    """The files that a command leaves where there is room, on the same path."""
    out = place / "disk" / "study"
    out.parent.mkdir(exist_ok=True)
    code, said = started(words_of(command, place, out), **surroundings(place))
    assert code == 0, said
    found = files(out)
    shutil.rmtree(out)
    return found


def full(draw: random.Random, place: Path, command: tuple[str, ...]) -> str | None:
    """A command without room for all its files: one line and exit code 3.

    Nothing is left, or what is left is told, and opens where it is said to be whole. With room the same command then
    gives the bytes of one that always had it.
    """
    expected, out = whole(command, place), place / "disk" / "study"
    words = words_of(command, place, out)
    if mounts(place):
        pages = sum(-(-len(content) // PAGE) for content in expected.values())
        with disk(out.parent, PAGE * draw.randint(1, pages - 1)):
            wrong = _without_room(words, out)
            grow(out.parent)
            wrong += _with_room(words, out, expected)
    else:
        size = draw.randint(1, max(map(len, expected.values())) - 1)
        wrong = _without_room([*words[:2], LIMITED.format(size=size) + words[2], *words[3:]], out)
        wrong += _with_room(words, out, expected)
        shutil.rmtree(out)
    return f"{' '.join(command)} on a full disk: {'; '.join(wrong)}" if wrong else None


def _without_room(words: list[str], out: Path) -> list[str]:
    """What is wrong with how a command ends, and with what it leaves."""
    code, said = started(words, **surroundings(out.parents[1]))
    left = sorted(path.relative_to(out.parent).as_posix() for path in out.parent.rglob("*"))
    wrong = [] if code == 3 and said.count("\n") == 1 else [f"{code} {said}"]
    wrong += [f"{name} is left" for name in left if name.endswith(PART)]
    if WHOLE in said:
        try:
            sim.open(out)
        except SimulatorError as error:
            wrong.append(f"said to be whole: {error}")
    elif bool(left) != (KEPT in said):
        wrong.append(f"{left} are left, and it says: {said}")
    return wrong


def _with_room(words: list[str], out: Path, expected: dict[str, bytes]) -> list[str]:
    """What is wrong once the command can go on."""
    code, said = started(words, **surroundings(out.parents[1]))
    found = files(out)
    other = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    return [f"with room: {code} {said} {other}"] if code or other else []
