"""A finished point as bytes: a line of JSON that says what follows, the integer sums, a checksum over both.

A point of three arms and two years takes 17 kB. The sums are those of a run in summary mode, without its histograms;
they are integers, so equal points have equal bytes wherever they were computed.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

FORMAT = "als-simulator point 2"
CHECKSUM_BYTES = 32
HEADS, MOMENTS, STAGES, ENDED, RESTRICTED = "heads", "moments", "stages", "ended", "restricted"
SERIOUS = "serious"


class Packed(NamedTuple):
    """What a point's file says: its header, and its sums with a leading dimension `replicate`; none where it failed."""

    header: dict[str, Any]
    sums: dict[str, np.ndarray]

    @property
    def message(self) -> str:
        """Why the point failed; empty where it did not."""
        return str(self.header.get("message", ""))


def pack(header: Mapping[str, Any], sums: Mapping[str, np.ndarray]) -> bytes:
    """The bytes of a point."""
    listed = [[name, values.dtype.str, list(values.shape)] for name, values in sums.items()]
    first = json.dumps({"format": FORMAT, **header, "arrays": listed}, ensure_ascii=True, allow_nan=False)
    body = b"".join([first.encode(), b"\n", *(np.ascontiguousarray(values).tobytes() for values in sums.values())])
    return body + hashlib.sha256(body).digest()


def unpack(content: bytes) -> Packed | None:
    """The point in some bytes; None where they are not whole."""
    body, checksum = content[:-CHECKSUM_BYTES], content[-CHECKSUM_BYTES:]
    if hashlib.sha256(body).digest() != checksum:
        return None
    first, _, rest = body.partition(b"\n")
    header = json.loads(first)
    if header.get("format") != FORMAT:
        return None
    sums, start = {}, 0
    for name, dtype, shape in header.pop("arrays"):
        size = math.prod(shape) * np.dtype(dtype).itemsize
        sums[name] = np.frombuffer(rest[start : start + size], dtype).reshape(shape)
        start += size
    return Packed(header, sums)
