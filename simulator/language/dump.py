"""The scenario as plain data: complete, as numbers only, in one canonical form, as YAML text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from simulator.quantities import Distribution, Part, Quantity

WORD = re.compile(r"[A-Za-z_][\w.]*(-[\w.]+)*", re.ASCII)
RESERVED = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
"""Words that are no text, the later ones for readers of YAML 1.1."""
WIDTH = 120


def walk(node: Any, leaf: Callable[[Quantity], Any], mapping: Callable[[Mapping[str, Any]], Any] = dict) -> Any:
    """The node as plain data; `leaf` says what becomes of a quantity, `mapping` of a mapping with free keys."""
    if isinstance(node, Quantity):
        return leaf(node)
    if isinstance(node, Distribution) and node.number is not None:
        return leaf(node.number)
    if isinstance(node, Part):
        fields = ((name, getattr(node, name)) for name in type(node).model_fields)
        return {name: walk(value, leaf, mapping) for name, value in fields if value is not None}
    if isinstance(node, dict):
        return mapping({key: walk(value, leaf, mapping) for key, value in node.items()})
    if isinstance(node, (list, tuple)):
        return [walk(item, leaf, mapping) for item in node]
    return node


def _sourced(quantity: Quantity) -> Any:
    """A bare number, or the mapping with unit, source and evidence."""
    if quantity.is_bare:
        return _number(quantity.value)
    return {
        name: _number(value) if isinstance(value, float) else walk(value, _sourced)
        for name in type(quantity).model_fields
        if (value := getattr(quantity, name)) is not None
    }


def _number(value: float) -> float | int:
    """Whole numbers without their point, as people write them."""
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def content(node: Any) -> Any:
    """Complete plain data with the sources."""
    return walk(node, _sourced)


def numbers(node: Any) -> Any:
    """Complete plain data, quantities as floats."""
    return walk(node, float)


def canonical(node: Any) -> Any:
    """Plain data in which the order of free mappings is kept: they are lists of pairs."""
    return walk(node, _sourced, lambda free: [[key, value] for key, value in free.items()])


def sources(data: Any) -> Iterator[str]:
    """The text of every `source` in plain data."""
    if isinstance(data, Mapping):
        if isinstance(data.get("source"), str):
            yield data["source"]
        data = data.values()
    if not isinstance(data, str) and isinstance(data, Iterable):
        for item in data:
            yield from sources(item)


def to_yaml(data: Mapping[str, Any]) -> str:
    """YAML text of plain data: leaves on one line, text quoted where it could be read as something else."""
    return "".join(line + "\n" for line in _block(data, 0))


def _block(node: Any, depth: int) -> list[str]:
    """The lines of a mapping or list."""
    indent = "  " * depth
    lines = []
    pairs = [(_text(k) + ":", v) for k, v in node.items()] if isinstance(node, Mapping) else [("-", v) for v in node]
    for head, value in pairs:
        flow = _flow(value)
        nested = isinstance(value, (Mapping, list)) and value
        if nested and (_is_deep(value) or len(indent) + len(head) + len(flow) >= WIDTH) and not _is_leaf(value):
            below = _block(value, depth + 1)
            if head == "-":
                lines.append(f"{indent}- {below.pop(0).lstrip()}")
            else:
                lines.append(indent + head)
            lines.extend(below)
        else:
            lines.append(f"{indent}{head} {flow}")
    return lines


def _is_leaf(value: Any) -> bool:
    """A sourced value stays on one line however long."""
    return isinstance(value, Mapping) and "value" in value and "kind" not in value


def _is_deep(value: Any) -> bool:
    """True for what holds mappings."""
    parts = value.values() if isinstance(value, Mapping) else value
    return any(isinstance(part, (Mapping, list)) and part for part in parts)


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(key)}: {_flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return _text(value) if isinstance(value, str) else "null" if value is None else _figure(value)


def _figure(value: float) -> str:
    """A number that YAML 1.1 takes for one too: it wants a point before the exponent."""
    mantissa, e, exponent = repr(value).partition("e")
    return f"{mantissa}.0e{exponent}" if e and "." not in mantissa else repr(value)


def _text(text: str) -> str:
    """Text, in double quotes unless it is a plain word."""
    if WORD.fullmatch(text) and text.lower() not in RESERVED:
        return text
    shown = (c if c.isprintable() else f"\\U{ord(c):08x}" for c in text.replace("\\", "\\\\").replace('"', '\\"'))
    return '"' + "".join(shown) + '"'
