"""The only constants of time, and numbers as text for people. A month is a twelfth of a Julian year."""

import re

DAYS_PER_WEEK = 7
DAYS_PER_MONTH = 30.4375
DAYS_PER_YEAR = 365.25
MONTHS_PER_YEAR = 12


def how_many(number: int, words: str) -> str:
    """A number and what it counts, named in the plural; of one, the first plural in the singular.

    Examples
    --------
    >>> how_many(1200, "values"), how_many(1, "rows of a.csv"), how_many(1, "people"), how_many(1, "simulated strata")
    ('1,200 values', '1 row of a.csv', '1 person', '1 simulated stratum')
    """
    if number == 1:
        each = words.split(" ")
        at = next((k for k, word in enumerate(each) if word in ONE or word.endswith("s")), None)
        if at is not None:
            each[at] = ONE.get(each[at], each[at].removesuffix("s"))
        words = " ".join(each)
    return f"{number:,} {words}"


ONE = {"people": "person", "strata": "stratum", "analyses": "analysis", "indices": "index"}
"""Singulars without the s of the plural."""

NEGATIVE = re.compile(r"(?<![^\s(+±>])-(?=\.?\d)")
"""The hyphen of a negative number: it begins a word, or a cell of HTML."""


def minus(text: str) -> str:
    """Text for people: negative numbers have a minus sign. JSON, CSV and YAML keep the hyphen.

    Examples
    --------
    >>> minus("-26.3 ± 0.3 (-27.0 to -25.7), VAL-14, 2-3 days")
    '−26.3 ± 0.3 (−27.0 to −25.7), VAL-14, 2-3 days'
    """
    return NEGATIVE.sub("−", text)
