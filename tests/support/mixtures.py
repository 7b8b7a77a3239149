"""Scenarios put together from sections of the bundled ones."""

from __future__ import annotations

import copy
import random
from functools import cache
from typing import Any

from simulator.language import bundled
from simulator.language.document import read


@cache
def written() -> dict[str, dict[str, Any]]:
    """What the bundled scenarios say."""
    return {name: read(path.read_bytes(), name).data for name, path in bundled().items()}


def mixed(draw: random.Random) -> dict[str, Any]:
    """A scenario with up to six sections of others."""
    files = list(written().values())
    data = copy.deepcopy(draw.choice(files))
    for key in draw.sample(sorted({key for file in files for key in file}), draw.randint(1, 6)):
        other = draw.choice(files)
        if key in other:
            data[key] = copy.deepcopy(other[key])
        elif draw.random() < 0.3:
            data.pop(key, None)
    return data
