"""A finished part of a study as bytes: a line of JSON that says what follows, arrays, a checksum over both."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

FORMAT = "als-simulator part 3"
CHECKSUM_BYTES = 32


class Packed(NamedTuple):
    """What a part's file says: its header and its arrays; none where it failed."""

    header: dict[str, Any]
    arrays: dict[str, np.ndarray]

    @property
    def message(self) -> str:
        """Why the part failed; empty where it did not."""
        return str(self.header.get("message", ""))


def pack(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """The bytes of a part."""
    listed = [[name, values.dtype.str, list(values.shape)] for name, values in arrays.items()]
    first = json.dumps({"format": FORMAT, **header, "arrays": listed}, ensure_ascii=True, allow_nan=False)
    body = b"".join([first.encode(), b"\n", *(np.ascontiguousarray(values).tobytes() for values in arrays.values())])
    return body + hashlib.sha256(body).digest()


def unpack(content: bytes) -> Packed | None:
    """The part in some bytes; None where they are not whole."""
    body, checksum = content[:-CHECKSUM_BYTES], content[-CHECKSUM_BYTES:]
    if hashlib.sha256(body).digest() != checksum:
        return None
    first, _, rest = body.partition(b"\n")
    header = json.loads(first)
    if header.get("format") != FORMAT:
        return None
    arrays, start = {}, 0
    for name, dtype, shape in header.pop("arrays"):
        size = math.prod(shape) * np.dtype(dtype).itemsize
        arrays[name] = np.frombuffer(rest[start : start + size], dtype).reshape(shape)
        start += size
    return Packed(header, arrays)
