"""Cost grows with the number of patients and memory does not: whole processes in summary mode, 10³ to 10⁶ patients."""

import tempfile
from pathlib import Path

from benchmarks.section_processes import als_sim
from benchmarks.table import Row

SIZES = (1_000, 10_000, 100_000, 1_000_000)
RUNS = 3


def rows(rounds: int) -> list[Row]:
    """CPU time beyond that of one patient, and peak memory; the best of three warm runs. `rounds` is not used."""
    with tempfile.TemporaryDirectory() as folder:
        cache, out = str(Path(folder) / "cache"), ["-o", str(Path(folder) / "result"), "--force"]

        def run(patients: int) -> tuple[float, float]:
            command = ["run", "valor", "-n", patients, "--output", "summary", "--threads", 1, *out]
            return min((taken.cpu, taken.memory) for taken in (als_sim(*command, cache=cache) for _ in range(RUNS)))

        run(1)  # compiles
        idle, _ = run(1)
        return [row for patients in SIZES for row in lines(patients, idle, *run(patients))]


def lines(patients: int, idle: float, cpu: float, memory: float) -> list[Row]:
    """Two rows for one size; no cost per patient where it drowns in the cost of starting."""
    each = 1e6 * (cpu - idle) / patients if cpu > 1.3 * idle else None
    note = f"{cpu:.2f} s in all, {idle:.2f} s for one patient"
    return [
        Row(f"{patients:,} patients: CPU", each, each, "µs per patient", note=note),
        Row(f"{patients:,} patients: peak memory", memory, memory, "GB"),
    ]
