"""The report: one HTML file that needs nothing else, the same bytes for the same result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from simulator.report import style
from simulator.report.content import Page, content
from simulator.report.draws import drawn_content
from simulator.report.rendering import rendered
from simulator.results import Result
from simulator.results.files import text_writer, write_all
from simulator.results.kinds import ANALYSES, FIT, SENSITIVITY, TWINS

if TYPE_CHECKING:
    from simulator.studies.analysed import Analysed
    from simulator.studies.decide.result import Decided
    from simulator.studies.fit.result import Fit
    from simulator.studies.sensitivity.document import Sensitivity
    from simulator.studies.sweep.result import Sweep
    from simulator.studies.trial.result import Trial
    from simulator.studies.twins.result import Twins

Reported: TypeAlias = "Result | Trial | Sweep | Twins | Analysed | Decided | Sensitivity | Fit"
"""What has a report."""


def report_html(result: Reported, made_from: str = "") -> str:
    """The report of a result, a trial that was run many times, a sweep, twins, a decision …, from what it holds.

    `made_from` is the checksum of the file that holds it. Pictures are narrow: letters can be read on a phone, and a
    desktop shows two side by side.
    """
    with style.page(style.NARROW):
        return _html(result, made_from)


def _html(result: Reported, made_from: str) -> str:
    if result.kind is TWINS:
        from simulator.report.twins import twins_content

        return rendered("data.html.j2", twins_content(cast("Twins", result)), made_from)
    if result.kind is SENSITIVITY:
        from simulator.report.sensitivity import sensitivity_content

        return rendered("report.html.j2", sensitivity_content(cast("Sensitivity", result)), made_from)
    if result.kind is ANALYSES:
        from simulator.report.analysed import analysed_content

        return rendered("data.html.j2", analysed_content(cast("Analysed", result)), made_from)
    if result.kind is FIT:
        from simulator.report.fit import fit_content

        return rendered("data.html.j2", fit_content(cast("Fit", result)), made_from)
    return rendered("report.html.j2", _content(cast("Result | Trial | Sweep | Decided", result)), made_from)


def _content(result: Result | Trial | Sweep | Decided) -> Page:
    if isinstance(result, Result):
        return drawn_content(result) if result.draws else content(result)
    from simulator.studies.decide.result import Decided

    if isinstance(result, Decided):
        from simulator.report.decision import decision_content

        return decision_content(result)
    from simulator.report.sweep import sweep_content
    from simulator.report.trial import trial_content  # brings the engine with it
    from simulator.studies.trial.result import Trial

    return trial_content(result) if isinstance(result, Trial) else sweep_content(result)


def write_report(result: Reported, path: Path) -> Path:
    """Write the report of a result to a file, atomically; it says which file it was made from."""
    write_all(path.parent, [(path.name, text_writer(report_html(result, result.file_sha256)))])
    return path
