"""Cost grows with the number of patients and memory does not: whole processes in summary mode, 10³ to 10⁶ patients."""

import tempfile
from pathlib import Path

from benchmarks.section_processes import als_sim
from benchmarks.table import Row

SIZES = (1_000, 10_000, 100_000, 1_000_000)


def rows(rounds: int) -> list[Row]:
    """Wall time beyond that of one patient, per patient; and peak memory. `rounds` is not used: one warm run each."""
    with tempfile.TemporaryDirectory() as folder:
        cache = str(Path(folder) / "cache")

        def run(patients: int) -> tuple[float, float]:
            out = ["-o", str(Path(folder) / "result"), "--force"]
            command = ["run", "valor", "-n", patients, "--output", "summary", "--threads", 1, *out]
            return min((taken.wall, taken.memory) for taken in (als_sim(*command, cache=cache) for _ in range(2)))

        run(1)
        idle, _ = run(1)
        found = []
        for patients in SIZES:
            wall, memory = run(patients)
            each = 1e6 * (wall - idle) / patients
            found.append(Row(f"{patients:,} patients: time", each, each, "µs per patient", note=f"{wall:.2f} s in all"))
            found.append(Row(f"{patients:,} patients: peak memory", memory, memory, "GB"))
    return found
