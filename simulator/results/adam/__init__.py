"""ADaM-like tables of the observed trial, for R, SAS and other tools of trial statistics: ADSL, ADQS, ADTTE, ADAE.

One row per participant (and parameter, and visit), in the arm to which the participant was allocated, until dropout:
what a trial would see. Potential outcomes in the other arms are not in them.

References
----------
CDISC, Analysis Data Model v2.1; ADaM Basic Data Structure for Time-to-Event Analyses v1.0. Alike in names and rules,
not submission-ready: there are no dates, no controlled terminology and no define.xml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.results.adam.adae import adae
from simulator.results.adam.adqs import adqs
from simulator.results.adam.adsl import adsl
from simulator.results.adam.adtte import adtte
from simulator.results.adam.columns import COLUMNS, Column
from simulator.results.adam.trial import NoTrialError, need_trial, observed_trial

if TYPE_CHECKING:
    import pandas

    from simulator.results.tree import Result

NOTICE = "ADaM-like, not submission-ready: simulated participants, no dates, no controlled terminology, no define.xml."


def to_adam(result: Result) -> dict[str, pandas.DataFrame]:
    """ADSL, ADQS and ADTTE of the observed trial, and ADAE where adverse events are simulated.

    Returns
    -------
    dict
        Name of the table to table; `table.attrs["labels"]` maps a variable to its label.

    Raises
    ------
    NoTrialError
        The scenario has no trial, or the result kept a summary only.
    """
    import pandas

    trial = observed_trial(result)
    made = {"ADSL": adsl(trial), "ADQS": adqs(trial), "ADTTE": adtte(trial)}
    if "adverse_events" in result.groups:
        made["ADAE"] = adae(trial)
    tables = {
        name: pandas.DataFrame(columns, columns=[c.name for c in COLUMNS[name]]) for name, columns in made.items()
    }
    for name, table in tables.items():
        table.attrs["labels"] = {column.name: column.label for column in COLUMNS[name]}
    return tables


__all__ = ["COLUMNS", "NOTICE", "Column", "NoTrialError", "need_trial", "observed_trial", "to_adam"]
