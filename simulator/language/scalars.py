"""Plain scalars under the core schema of YAML 1.2: `no` is text, `1e-3` a number, `012` is 12."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

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


def scalar(text: str) -> Any:
    """A plain scalar's value; text where no rule fits."""
    return next((value(text) for rule, value in RULES if rule.fullmatch(text)), text)


def tagged(text: str, tag: str) -> tuple[Any, bool]:
    """The value of a scalar with an explicit tag, and whether the tag is a core one that fits."""
    value = text if tag == CORE + "str" else scalar(text)
    return value, isinstance(value, TAGS.get(tag.removeprefix(CORE), ()))
