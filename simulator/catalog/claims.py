"""What the article claims, beside what was published."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from simulator.catalog.facts import Row, read_text


class Claim(Row):
    """A claim of the article; `verdict` compares it with the publications named in `evidence`."""

    id: str
    claim: str
    article: str
    published: str
    verdict: Literal["agrees", "partly", "conflicts", "unverifiable"]
    evidence: tuple[str, ...] = ()
    note: str | None = None


def read_yaml(name: str) -> dict[str, Any]:
    """One of the YAML files of the evidence that hold a mapping."""
    return _load(name)


def read_list(name: str) -> list[dict[str, Any]]:
    """One of the YAML files of the evidence that hold a list."""
    return _load(name)


def _load(name: str) -> Any:
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).load(read_text(name))


@cache
def claims() -> dict[str, Claim]:
    """Every claim of the article by its id."""
    return {key: Claim(id=key, **row) for key, row in read_yaml("claims.yaml").items()}
