"""What the schema expects at a path: which keys a section may have, whether its keys are free."""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from simulator.language.faults import Path
from simulator.language.registered import REGISTRIES
from simulator.quantities import Distribution, Part


def expected(root: Any, path: Path, data: Any) -> Any:
    """The type that stands at a path: a `Part` class, `dict` for free keys, `list`, or None where unknown.

    Parameters
    ----------
    root : type
        The type of the whole, `Scenario`.
    path : tuple
        Keys and indices from the root.
    data : Any
        The data, which decides between alternatives by its `kind` or `model`.
    """
    kind = _choose(root, data)
    for step in path:
        kind = _inside(kind, step)
        data = _item(data, step)
        kind = _choose(kind, data)
    origin = get_origin(kind)
    return origin if origin in (dict, list) else kind if isinstance(kind, type) else None


def fields(kind: Any) -> list[str]:
    """The keys that a section of this type may have."""
    if not isinstance(kind, type) or not issubclass(kind, Part):
        return []
    return list(Distribution.SHAPES[1:] if kind is Distribution else kind.model_fields)


def _item(data: Any, step: str | int) -> Any:
    """One level down in the data, None where there is nothing."""
    if isinstance(data, Mapping):
        return data.get(step)
    return data[step] if isinstance(data, list) and isinstance(step, int) and step < len(data) else None


def _inside(kind: Any, step: str | int) -> Any:
    """The type of a field, of a free key's value or of a list's item."""
    if get_origin(kind) is dict:
        return get_args(kind)[1]
    if get_origin(kind) is list:
        return get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, Part) and step in kind.model_fields:
        return kind.model_fields[str(step)].annotation
    return None


def _choose(kind: Any, data: Any) -> Any:
    """The type without its annotations; of several sections the one that the data's tag names."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if isinstance(kind, type) and kind in REGISTRIES:
        kind = Union[tuple(REGISTRIES[kind].values())]  # noqa: UP007 - made from the registry
    if get_origin(kind) not in (Union, UnionType):
        return kind
    options = [_choose(option, data) for option in get_args(kind) if option is not type(None)]
    tags = [data.get(name) for name in ("kind", "model")] if isinstance(data, Mapping) else []
    for option in options:
        if any(value in tags for name in ("kind", "model") for value in _literals(option, name)):
            return option
    return options[0] if len(options) == 1 else None


def _literals(kind: Any, name: str) -> tuple[Any, ...]:
    """The values that a literal field may have."""
    field = kind.model_fields.get(name) if isinstance(kind, type) and issubclass(kind, Part) else None
    return get_args(field.annotation) if field is not None else ()
