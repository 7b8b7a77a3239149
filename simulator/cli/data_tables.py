"""Data of real people and their analyses as text of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

from simulator.tables.numbers import fixed
from simulator.tables.text import WIDTH, aligned, clean, short
from simulator.units import how_many

Document = Mapping[str, Any]
NONE = "–"


def check_text(found: Document) -> str:
    """How much there is, and what was set aside."""
    arms = ", ".join(f"{clean(arm)} {n:,}" for arm, n in found["arms"].items())
    rows = [[clean(name), how_many(n, "values")] for name, n in found["measurements"].items()]
    rows += [
        [clean(one["endpoint"]), how_many(sum(arm["events"] for arm in one["arms"].values()), "events")]
        for one in found["endpoints"]
    ]
    head = f"{clean(found['data'])}: {how_many(found['participants'], 'participants')} ({arms})"
    lines = [*wrap(head, WIDTH), *(aligned(rows) if rows else [])]
    if found["covariates"]:
        lines += wrap(f"covariates: {', '.join(map(clean, found['covariates']))}", WIDTH, subsequent_indent="  ")
    return "\n".join([*lines, *notes_text(found["notes"])])


def notes_text(notes: Sequence[Document]) -> list[str]:
    """What was set aside or computed, a line each."""
    texts = [clean(f"{how_many(note['number'], note['what'])}: {note['why']}") for note in notes]
    return [line for text in texts for line in wrap(text, WIDTH, subsequent_indent="  ")]


def show_text(found: Document) -> str:
    """People by arm, measurements by visit, survival."""
    arms = list(found["arms"])
    lines = [check_text(found), ""]
    if found["people"]:
        rows = [["people", "known", *map(short, arms)]]
        rows += [[row["what"], str(row["known"]), *map(_cell, row["arms"].values())] for row in found["people"]]
        lines += [*aligned(rows), ""]
    for name, visits in found["visits"].items():
        rows = [[clean(name), "measured", "of", "missing, %", "mean", "SD"]]
        for row in visits:
            gone = f"{100 * (1 - row['measured'] / row['alive']):.0f}" if row["alive"] else NONE
            day = "no planned day" if row["day"] is None else f"day {row['day']:g}"
            rows.append([day, str(row["measured"]), str(row["alive"]), gone, _number(row["mean"]), _number(row["sd"])])
        lines += [*aligned(rows), ""]
    for one in found["endpoints"]:
        lines += [*survival_text(one["endpoint"], one["arms"]), ""]
    return "\n".join([*lines, "of: participants not known to have died before the day."])


def _cell(value: Any) -> str:
    """A count, or a mean with its SD."""
    return f"{value:,}" if isinstance(value, int) else f"{_number(value[0])} ({_number(value[1])})"


def _number(value: float | None, digits: int = 1) -> str:
    return NONE if value is None else fixed(value, digits)


def survival_text(endpoint: str, arms: Mapping[str, Any]) -> Iterator[str]:
    """Kaplan–Meier by arm with numbers at risk."""
    days = [cell["day"] for cell in next(iter(arms.values()))["survival"]]
    rows = [[f"{_free(clean(endpoint))}, %", *(f"day {round(day)}" for day in days)]]
    for name, arm in arms.items():
        rows.append([f"  {short(name)}", *(fixed(100 * cell["free"], 1) for cell in arm["survival"])])
        rows.append(["    at risk", *(f"{cell['at_risk']:,}" for cell in arm["survival"])])
    return aligned(rows)


def _free(endpoint: str) -> str:
    return "event-free" if endpoint == "event_free" else f"free of {endpoint}"


def analysed_text(found: Document) -> str:
    """Estimates, arms, survival, what was left out, what is estimated."""
    lines = [
        *wrap(f"{clean(found['data'])}: {clean(found['experimental'])} against {clean(found['control'])}", WIDTH),
        f"{found['outcome']}, to day {found['day']:g}; last visit day {found['visit']:g}; "
        f"event: {found['endpoint'] or 'none in the data'}",
        "",
        *_estimates(found),
        "",
        *_arms(found["arms"]),
    ]
    if found["endpoint"]:
        lines += ["", *survival_text(found["endpoint"], {arm["name"]: arm for arm in found["arms"]})]
    lines += ["", *notes_text(found["notes"]), *_refused(found), "", *_estimands(found), "", found["notice"]]
    return "\n".join(lines)


def _estimates(found: Document) -> Iterator[str]:
    rows = [["", "estimate", "95 % interval", "p", "n", "left out"]]
    for row in found["analyses"]:
        if row["estimate"] is None:
            cells = [NONE, NONE, NONE, NONE]
        else:
            low, high = fixed(row["lower"], 3), fixed(row["upper"], 3)
            cells = [fixed(row["estimate"], 3), f"{low} to {high}", f"{row['p']:.4f}", f"{row['n']:,}"]
        rows.append([row["analysis"], *cells, f"{row['left_out']:,}"])
    yield from aligned(rows)
    for row in found["analyses"]:
        how = f"; {row['method']}" if row["method"] else ""
        text = f"{row['analysis']}: {row['measure'].format(unit='points')}{how}"
        yield from wrap(clean(text), WIDTH, subsequent_indent="  ")


def _arms(arms: Sequence[Document]) -> Iterator[str]:
    labels = {
        "participants": "participants",
        "events": "with the event",
        "left": "left before, without it",
        "not_measured": "not measured at the last visit, without it",
    }
    rows = [["", *(short(arm["name"]) for arm in arms)]]
    rows += [[label, *(f"{arm[key]:,}" for arm in arms)] for key, label in labels.items()]
    rows.append(["mean days followed", *(fixed(arm["mean_days"], 0) for arm in arms)])
    return aligned(rows)


def _refused(found: Document) -> list[str]:
    """Why an analysis has no estimate."""
    texts = [f"{row['analysis']}: {row['refused']}" for row in found["analyses"] if row["refused"]]
    return [line for text in texts for line in wrap(clean(text), WIDTH, subsequent_indent="  ")]


def _estimands(found: Document) -> list[str]:
    from simulator.cli.trial_estimands import HEAD
    from simulator.studies.trial.estimands import alike

    texts = alike({row["analysis"]: row["estimand"] for row in found["analyses"]})
    lines = [clean(f"{names}: {text}") for names, text in texts.items()]
    return [HEAD, *(x for one in lines for x in wrap(one, WIDTH, initial_indent="  ", subsequent_indent="    "))]
