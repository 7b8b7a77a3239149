"""Numbers and texts as cells of a CSV file, thousands at once: a row of bytes a cell, 0 where a byte is not used."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.tables.files import safe_cell

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
"""Eight bytes each, the first of which is the lowest."""
WIDTH, DIGITS = 16, 7
LOWEST, HIGHEST = 1e-4, 9_999_999.0
"""Between them seven digits are written without an exponent."""
TEN = 10.0 ** np.arange(11)
DOUBT = 0.5 - 1e-7
"""So near to a tie rounding a product may differ from rounding the number; then Python writes it."""
COMMA, NEWLINE = np.frombuffer(b",", np.uint8), np.frombuffer(b"\n", np.uint8)
BYTE = np.uint64(8)
MINUS, POINT = (np.uint64(letter) for letter in b"-.")


def as_bytes(texts: Sequence[str], width: int = 0) -> Bytes:
    """A row of bytes for each text."""
    found = np.array([text.encode() for text in texts] or [b""], f"S{width}" if width else None)
    return found.view(np.uint8).reshape(len(found), -1) if found.itemsize else np.zeros((len(found), 0), np.uint8)


def _words(texts: Sequence[str]) -> Words:
    return as_bytes(texts, 8).view("<u8")[:, 0]


def _decimals(width: int) -> tuple[Words, NDArray[np.int64]]:
    """The numbers of so many digits, leading zeros kept, and how many digits each has without the zeros at its end."""
    texts = [f"{k:0{width}d}" for k in range(10**width)]
    return _words(texts), np.array([len(text.rstrip("0")) for text in texts], np.int64)


FOUR, LENGTH_FOUR = _decimals(4)
THREE, LENGTH_THREE = _decimals(3)
THREE, LENGTH_THREE = THREE << np.uint64(32), np.where(LENGTH_THREE > 0, LENGTH_THREE + 4, 0)
ZEROS = _words(["", *(f"0.{'0' * k}" for k in range(4))])
"""What stands before the digits of .1, .01, .001, .0001."""


def texts(values: Iterable[object]) -> Bytes:
    """Labels: quoted where they must be, and nothing that a spreadsheet takes for a formula."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\0")
    for value in values:
        writer.writerow((_text(value), 0))
    return as_bytes([line.removesuffix(",0") for line in stream.getvalue().split("\0")[:-1]])


def _text(value: object) -> str:
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{value:.7g}"
    return safe_cell(str(value)) if isinstance(value, str) else str(value)


def numbers(values: NDArray[np.floating]) -> Bytes:
    """`format(x, ".7g")` of every x; nothing for NaN."""
    x = values.astype(np.float64)
    size = abs(x)
    usual = (size >= LOWEST) & (size < HIGHEST)
    cells, doubtful = _usual(np.where(usual, size, 1.0), np.signbit(x))
    cells[~usual] = 0
    found = cells.view(np.uint8)
    zero = size == 0
    found[zero, 0], found[zero, 1] = np.where(np.signbit(x[zero]), ord("-"), 0), ord("0")
    left = np.flatnonzero((doubtful | ~usual) & ~zero & ~np.isnan(x))
    if len(left):
        distinct, index = np.unique(x[left], return_inverse=True)
        found[left] = as_bytes([f"{one:.7g}" for one in distinct.tolist()], WIDTH)[index]
    used = np.array([np.bitwise_or.reduce(cells[:, k]) for k in range(2)]).view(np.uint8)
    return found[:, : int(np.flatnonzero(used).max(initial=-1)) + 1]


def _usual(size: NDArray[np.float64], minus: NDArray[np.bool_]) -> tuple[Words, NDArray[np.bool_]]:
    """Numbers written without exponent, two words each; and which are in doubt."""
    power = np.floor(np.log10(size)).astype(np.int64)
    scaled = size * TEN.take(DIGITS - 1 - power)
    above, below = scaled >= TEN[DIGITS], scaled < TEN[DIGITS - 1]
    if above.any() or below.any():
        power += above.astype(np.int64) - below
        scaled = size * TEN.take(DIGITS - 1 - power)
    rounded = np.rint(scaled)
    whole = rounded.astype(np.int64)
    full = whole == 10**DIGITS
    if full.any():
        power += full
        whole[full] = 10 ** (DIGITS - 1)
    high = whole // 1000
    low = whole - high * 1000
    kept = np.maximum(LENGTH_THREE.take(low), LENGTH_FOUR.take(high))  # digits without the zeros at the end
    return _placed(FOUR.take(high) | THREE.take(low), kept, power, minus), abs(scaled - rounded) > DOUBT


def _placed(digits: Words, kept: NDArray[np.int64], power: NDArray[np.int64], minus: NDArray[np.bool_]) -> Words:
    """Sign, digits with the decimal point among them, or with the point and zeros before them."""
    one, small = np.uint64(1), power < 0
    before = np.maximum(power + 1, 0).view(np.uint64) * BYTE  # bits of the digits before the point
    digits = digits & ((one << (np.maximum(kept, power + 1).view(np.uint64) * BYTE)) - one)
    point = np.where(kept > power + 1, POINT, np.uint64(0))
    first = (digits & ((one << before) - one)) | (point << before) | (digits >> before << (before + BYTE))
    then = np.zeros_like(first)
    if small.any():
        place = -power[small]
        shift = (place + 1).astype(np.uint64) * BYTE
        first[small] = ZEROS[place] | digits[small] << shift
        then[small] = digits[small] >> (np.uint64(64) - shift)
    sign = np.where(minus, MINUS, np.uint64(0))
    return np.stack([sign | first << BYTE, first >> np.uint64(56) | then << BYTE], axis=1).astype("<u8", copy=False)


def lines(cells: Sequence[Bytes]) -> bytes:
    """Rows of a file from their cells, a column each."""
    n = len(cells[0])
    comma, newline = (np.broadcast_to(one, (n, 1)) for one in (COMMA, NEWLINE))
    parts = [part for cell in cells for part in (cell, comma)]
    whole = np.concatenate([*parts[:-1], newline], axis=1).reshape(-1)
    return whole.tobytes().translate(None, b"\0")
