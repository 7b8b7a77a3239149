"""Rows of the table of figures, with what must be reached and what is aimed at."""

from typing import NamedTuple


class Row(NamedTuple):
    """One line of the table. `best` and `middle` are in `unit`; a bound holds from above unless `higher`."""

    figure: str
    best: float | None
    middle: float | None
    unit: str
    must: float | None = None
    aim: float | None = None
    higher: bool = False
    note: str = ""

    def verdict(self) -> str:
        """Which column the median reaches."""
        if self.middle is None or self.must is None:
            return ""
        sign = -1 if self.higher else 1
        bounds = (("aim", self.aim), ("must", self.must))
        return next(
            (name for name, bound in bounds if bound is not None and sign * self.middle <= sign * bound), "missed"
        )


def number(value: float | None) -> str:
    """Three digits; nothing for nothing."""
    return "" if value is None else f"{value:.3g}"


def printed(rows: list[Row]) -> str:
    """The table, in Markdown."""
    lines = ["| figure | best | median | unit | must | aim | reached |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        figure = f"{row.figure} ({row.note})" if row.note else row.figure
        cells = [figure, *(number(x) for x in (row.best, row.middle)), row.unit, number(row.must), number(row.aim)]
        lines.append(f"| {' | '.join([*cells, row.verdict()])} |")
    return "\n".join(lines)
