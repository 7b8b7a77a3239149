"""Text to data with the place of every key and value: one pass over the YAML events, without recursion.

Only YAML 1.2 with core tags; duplicate keys, merge keys and second documents are faults. Limits guard against
files that are small on disk and huge in memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from simulator.language.faults import Fault, Mark, Origin, Path, ScenarioError, address, printable

MAX_BYTES = 1_000_000
MAX_NODES = 50_000
MAX_DEPTH = 40
HDF5 = b"\x89HDF"


WORDS = {  # the parser's, and ours
    "mapping values are not allowed here": "a key or a second colon stands where none may",
    "could not find expected ':'": "a colon is missing",
    "found character '\\t' that cannot start any token": "a tab stands where only blanks may",
    "found unexpected end of stream": "the file ends inside a quoted text",
    "expected the node content, but found": "a value is missing before",
    "'<stream end>'": "the end of the file",
    "<block end>": "the end of the section",
    "'<block mapping start>'": "a section",
    "'<block sequence start>'": "a list",
    "'<document start>'": "---",
}


CORE = "tag:yaml.org,2002:"
MAX_DIGITS = 400  # whole numbers beyond are read as floats

RULES: list[tuple[re.Pattern[str], Callable[[str], Any]]] = [
    (re.compile(r"~|null|Null|NULL|"), lambda text: None),
    (re.compile(r"true|True|TRUE|false|False|FALSE"), lambda text: text[0] in "tT"),
    (re.compile(rf"[-+]?[0-9]{{1,{MAX_DIGITS}}}"), int),
    (re.compile(rf"0o[0-7]{{1,{MAX_DIGITS}}}|0x[0-9a-fA-F]{{1,{MAX_DIGITS}}}"), lambda text: int(text, 0)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?(\.inf|\.Inf|\.INF)"), lambda text: float(text.replace(".", ""))),
    (re.compile(r"\.nan|\.NaN|\.NAN"), lambda text: float("nan")),
]

TAGS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "null": (type(None),),
}


class Document(NamedTuple):
    """The data of a file, where each part of it stands, and the faults met on the way with their paths."""

    data: Any
    origin: Origin
    faults: list[Fault]
    paths: list[Path]


def read(raw: bytes, file: str) -> Document:
    """The document in some bytes.

    Parameters
    ----------
    raw : bytes
        The file's content.
    file : str
        Name to show in faults.

    Raises
    ------
    ScenarioError
        The bytes are no YAML document that could be looked at further.
    """
    if len(raw) > MAX_BYTES:
        _stop(file, (1, 1), f"the file is larger than {MAX_BYTES // 1_000_000} MB", "Keep data out of the scenario")
    text = _decode(raw, file)
    composer = _Composer(file)
    composer.run(text)
    if not composer.finished or composer.data is None:
        _stop(file, (1, 1), "the file is empty", "Begin with schema_version: 1, or use als-sim init")
    return Document(composer.data, Origin(file, composer.keys, composer.values), composer.faults, composer.paths)


def _stop(file: str, mark: Mark, fact: str, remedy: str) -> None:
    """Give up with one fault of the whole file."""
    raise ScenarioError([Fault(file, *mark, "scenario", fact, remedy)])


def _decode(raw: bytes, file: str) -> str:
    """The text, or a fault at the first byte that is not UTF-8."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        line = before.count("\n") + 1
        mark = line, len(before) - (before.rfind("\n") + 1) + 1
        if raw.startswith(HDF5):
            _stop(file, mark, "this is a result, not a scenario", f"Look at it with als-sim show {file}")
        _stop(file, mark, f"the byte 0x{raw[error.start]:02x} is not UTF-8", "Save the file as UTF-8")
        raise


@dataclass
class _Open:
    """A mapping or list whose end has not been seen."""

    value: Any
    path: Path
    anchor: str | None
    mark: Mark
    key: str | None = None
    waiting: bool = True  # a mapping waits for a key
    skip: bool = False  # the coming value belongs to a key that is a fault already
    size: int = 1


@dataclass
class _Composer:
    """The state of reading one document."""

    file: str
    data: Any = None
    finished: bool = False
    keys: dict[Path, Mark] = field(default_factory=dict)
    values: dict[Path, Mark] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    nodes: int = 0
    documents: int = 0

    def run(self, text: str) -> None:
        """Take in all events of the text."""
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError

        try:
            for event in YAML(typ="safe", pure=True).parse(text):
                self.take(event)
        except YAMLError as error:
            self.stop(_error_mark(error, text), f"not valid YAML: {_problem(error)}", _syntax_remedy(error))
        except RecursionError:  # pragma: no cover - the depth limit comes first
            self.stop((1, 1), "the file is nested too deeply", f"Use at most {MAX_DEPTH} levels")

    def stop(self, mark: Mark, fact: str, remedy: str) -> None:
        """Give up: what follows cannot be read."""
        raise ScenarioError([*self.faults, Fault(self.file, *mark, "scenario", fact, remedy)])

    def note(self, mark: Mark, path: Path, fact: str, remedy: str) -> None:
        """Remember a fault and read on."""
        self.faults.append(Fault(self.file, *mark, address(path), fact, remedy))
        self.paths.append(path)

    def take(self, event: Any) -> None:
        """One event of the parser."""
        kind = type(event).__name__
        mark = event.start_mark.line + 1, event.start_mark.column + 1
        if kind == "DocumentStartEvent":
            self.documents += 1
            if self.documents > 1:
                self.stop(mark, "the file holds more than one document", "Keep one scenario in a file, without ---")
        elif kind == "ScalarEvent":
            self.scalar(event, mark)
        elif kind == "AliasEvent":
            self.alias(event.anchor, mark)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self.open({} if kind == "MappingStartEvent" else [], event, mark)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self.close()

    def scalar(self, event: Any, mark: Mark) -> None:
        """A leaf, or the key of a mapping."""
        tag, plain = str(event.ctag or ""), event.style is None
        if any("\ud800" <= c <= "\udfff" for c in event.value):
            self.stop(mark, "half of a surrogate pair is not a character", "Write the character itself")
        if self.expects_key():
            self.begin_key(event.value, plain, mark)
            return
        value: Any = event.value
        if tag and tag != "!":
            value, fits = tagged(value, tag)
            if not fits:
                self.note(mark, self.path(), f"the tag {printable(tag)} is not allowed here", "Remove the tag")
        elif plain and tag != "!":
            value = scalar(value)
        if not event.value and plain:
            mark = self.keys.get(self.path(), mark)  # a value that is not there stands at its key
        self.add(value, 1, mark, event.anchor)

    def expects_key(self) -> bool:
        """True where the next node is a mapping's key."""
        return bool(self.stack) and isinstance(self.stack[-1].value, dict) and self.stack[-1].waiting

    def path(self) -> Path:
        """The path of the next value."""
        if not self.stack:
            return ()
        top = self.stack[-1]
        return (*top.path, len(top.value) if isinstance(top.value, list) else str(top.key))

    def begin_key(self, key: str, plain: bool, mark: Mark) -> None:
        """A key: text, new in its mapping, not a merge."""
        top = self.stack[-1]
        self.count(mark)
        top.key, top.waiting, top.skip = key, False, False
        path = (*top.path, key)
        if plain and key == "<<":
            self.note(mark, path, "merge keys are not part of YAML 1.2", "Write the keys out")
        elif plain and not isinstance(scalar(key), str):
            fact = f"the key {printable(key)} is not text" if key else "a key has no name"
            self.note(mark, path, fact, "Put it in quotes" if key else "Write one before the colon")
        elif key in top.value:
            first = self.keys[path][0]
            self.note(mark, path, f"the key {printable(key)} stands here twice (first in line {first})", "Remove one")
        else:
            self.keys[path] = mark
            return
        top.skip = True

    def alias(self, anchor: str, mark: Mark) -> None:
        """A repeated node: its whole size counts."""
        if any(part.anchor == anchor for part in self.stack):
            self.stop(mark, f"the alias *{printable(anchor)} contains itself", "Write the content out")
        if anchor not in self.anchors:
            self.stop(mark, f"the alias *{printable(anchor)} has no anchor before it", "Write the content out")
        if self.expects_key():
            self.stop(mark, "an alias cannot be a key", "Write the key out")
        value, size = self.anchors[anchor]
        self.count(mark, size)
        self.add(value, size, mark, None, counted=True)

    def open(self, value: Any, event: Any, mark: Mark) -> None:
        """The start of a mapping or list."""
        if self.expects_key():
            self.stop(mark, "a key must be text", "Use one word as the key")
        if len(self.stack) >= MAX_DEPTH:
            self.stop(mark, f"the file is nested more than {MAX_DEPTH} levels deep", "Use fewer levels")
        path = self.path()
        tag = str(event.ctag or "")
        if tag and tag not in ("!", CORE + ("map" if isinstance(value, dict) else "seq")):
            self.note(mark, path, f"the tag {printable(tag)} is not allowed here", "Remove the tag")
        self.count(mark)
        if not self.hidden():
            self.values[path] = mark
        self.stack.append(_Open(value, path, event.anchor, mark))

    def hidden(self) -> bool:
        """True inside the value of a key that is a fault already: its marks would cover the first one's."""
        return any(part.skip for part in self.stack)

    def close(self) -> None:
        """The end of a mapping or list."""
        done = self.stack.pop()
        self.add(done.value, done.size, done.mark, done.anchor, counted=True)

    def add(self, value: Any, size: int, mark: Mark, anchor: str | None, counted: bool = False) -> None:
        """A finished value goes into its parent."""
        if not counted:
            self.count(mark)
        if anchor is not None:
            self.anchors[anchor] = value, size
        if not self.hidden():
            self.values.setdefault(self.path(), mark)
        if not self.stack:
            self.data, self.finished = value, True
            return
        top = self.stack[-1]
        top.size += size
        if isinstance(top.value, list):
            top.value.append(value)
            return
        if not top.skip:
            top.value[top.key] = value
        top.waiting, top.skip = True, False

    def count(self, mark: Mark, size: int = 1) -> None:
        """Guard the number of nodes after aliases are expanded."""
        self.nodes += size
        if self.nodes > MAX_NODES:
            self.stop(mark, f"the file holds more than {MAX_NODES:,} values", "Remove values or repeated aliases")


def _error_mark(error: Any, text: str) -> Mark:
    """Where the parser stopped, kept inside the file."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    lines = text.split("\n")
    if mark is None:
        position = min(getattr(error, "position", 0) or 0, len(text))
        before = text[:position]
        return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1
    if mark.line >= len(lines) or (mark.line == len(lines) - 1 and not lines[-1] and len(lines) > 1):
        last = len(lines) - (1 if lines[-1] or len(lines) == 1 else 2)
        return last + 1, len(lines[last]) + 1
    return mark.line + 1, min(mark.column, len(lines[mark.line])) + 1


def _problem(error: Any) -> str:
    """The parser's words, on one line."""
    if type(error).__name__ == "ReaderError":
        return "a control character stands in the text"
    words = " ".join(str(getattr(error, "problem", None) or "it cannot be read").split())
    for theirs, ours in WORDS.items():
        words = words.replace(theirs, ours)
    return words if words.isprintable() else printable(words)


def _syntax_remedy(error: Any) -> str:
    """What usually mends a syntax fault."""
    if type(error).__name__ == "ReaderError":
        return "Remove it"
    return "Check indentation, colons, brackets and quotes here and in the line before"


def scalar(text: str) -> Any:
    """A plain scalar's value; text where no rule fits."""
    return next((value(text) for rule, value in RULES if rule.fullmatch(text)), text)


def tagged(text: str, tag: str) -> tuple[Any, bool]:
    """The value of a scalar with an explicit tag, and whether the tag is a core one that fits."""
    value = text if tag == CORE + "str" else scalar(text)
    return value, isinstance(value, TAGS.get(tag.removeprefix(CORE), ()))
