"""Measures every figure that the engine must reach and prints one table; ``--json FILE`` keeps the figures.

Ratios are taken within this process, in at least seven rounds in which everybody runs once: the ratio of the fastest
times and the median of the ratios within rounds. Whole processes: the fastest and the median. Sections can be named:
``python -m benchmarks.run processes scaling loop api sweep accuracy counts``. With ``--check`` the exit code is 1 where
a figure misses what it must reach, or was not measured; `counts` does not depend on how busy the machine is.
"""

import argparse
import importlib
import json
import os
import platform
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from benchmarks.table import Row, printed
from benchmarks.timing import ROUNDS

SECTIONS = {
    "processes": "benchmarks.section_processes",  # first: a child's peak memory counts what its parent holds
    "scaling": "benchmarks.section_scaling",
    "loop": "benchmarks.section_loop",
    "api": "benchmarks.section_api",
    "sweep": "benchmarks.section_sweep",
    "accuracy": "benchmarks.section_accuracy",
    "counts": "benchmarks.section_counts",
}


def measure(name: str, rounds: int) -> list[Row]:
    """The rows of one section, or one row that says why there are none."""
    try:
        section: Callable[[int], list[Row]] = importlib.import_module(SECTIONS[name]).rows
        return section(rounds)
    except Exception as error:  # one section that fails must not cost the figures of the others
        traceback.print_exc()
        return [Row(f"{name}: not measured", None, None, "", note=f"{type(error).__name__}: {error}".split("\n")[0])]


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    names = ("numba", "numpy", "llvmlite")
    versions = {name: importlib.import_module(name).__version__ for name in names}
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.processor())
    avx512 = any(line.startswith("flags") and "avx512f" in line for line in lines)
    load = os.getloadavg()[0]
    return {
        "cpu": model,
        "avx512": avx512,
        "cores": os.cpu_count(),
        "load": load,
        "python": platform.python_version(),
        **versions,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--check", action="store_true", help="fail where a figure misses what it must reach")
    asked = parser.parse_args()
    if unknown := set(asked.sections) - set(SECTIONS):
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    with tempfile.TemporaryDirectory() as cache:
        os.environ["ALS_SIM_CACHE"] = cache  # so that the first run is one
        ran = [row for name in asked.sections or SECTIONS for row in measure(name, asked.rounds)]
    about = machine()
    print(", ".join(f"{key} {value}" for key, value in about.items()), end="\n\n")
    print(printed(ran))
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        rows = [{**row._asdict(), "reached": row.verdict()} for row in ran]
        asked.json.write_text(json.dumps({"machine": about, "rounds": asked.rounds, "rows": rows}, indent=1) + "\n")
    if asked.check and (missed := [row.figure for row in ran if failed(row)]):
        raise SystemExit(f"missed: {'; '.join(missed)}")


def failed(row: Row) -> bool:
    """Whether a figure misses what it must reach, or there is none."""
    return row.middle is None or row.verdict() == "missed"


if __name__ == "__main__":
    main()
