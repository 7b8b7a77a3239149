"""The figures of the benchmarks that hold on any machine, and that a miss is a failure."""

import pytest

from benchmarks import section_counts
from benchmarks.run import failed
from benchmarks.table import Row


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (Row("slow", 1.0, 2.0, "s", must=1.5), True),
        (Row("fast", 1.0, 1.4, "s", must=1.5), False),
        (Row("low", 70.0, 60.0, "%", must=65, higher=True), True),
        (Row("told", 70.0, 60.0, "%"), False),
        (Row("not measured", None, None, ""), True),
    ],
)
def test_a_figure_that_misses_fails_the_check(row, expected):
    assert failed(row) == expected


@pytest.mark.slow
def test_no_more_is_compiled_than_may_be():
    assert not [row for row in section_counts.rows(1) if failed(row)]
