"""Whole processes, as a user waits for them, with an own cache of compiled kernels that is empty at first."""

import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.table import Row
from benchmarks.timing import Process, process

MILLION = 1_000_000


def als_sim(*arguments: object, cache: str) -> Process:
    """Run the command of this environment."""
    command = [sys.executable, "-c", "from simulator.cli.app import main; main()", *map(str, arguments)]
    return process(command, {"ALS_SIM_CACHE": cache})


def rows(rounds: int) -> list[Row]:
    """First run, run as shipped, a million patients, --help and validate."""
    with tempfile.TemporaryDirectory() as folder:
        cache, out = str(Path(folder) / "cache"), ["-o", str(Path(folder) / "result"), "--force"]
        scenario = Path(folder) / "mine.yaml"
        als_sim("init", scenario.with_suffix(""), "--from", "valor", cache=cache)
        first = als_sim("run", "valor", *out, cache=cache)
        million = ["run", "valor", "-n", MILLION, "--output", "summary", "--threads", 2, *out]
        commands = {
            "run valor": ["run", "valor", *out],
            "million": million,
            "--help": ["--help"],
            "validate": ["validate", written(scenario)],
        }
        als_sim(*million, cache=cache)  # compiles what only summary mode needs
        taken: dict[str, list[Process]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                taken[name].append(als_sim(*command, cache=cache))
    walls = {name: [p.wall for p in runs] for name, runs in taken.items()}
    memory = [p.memory for p in taken["million"]]
    return [
        Row("first run ever", first.wall, first.wall, "s", 30, 18, note=f"{first.cpu:.0f} s of CPU"),
        seconds("run valor, as shipped", walls["run valor"], 3, 1.5),
        seconds("run valor, a million patients, summary, 2 threads", walls["million"], 10, 4),
        Row("peak memory of that run", min(memory), median(memory), "GB", 0.6, 0.35),
        seconds("--help", walls["--help"], 0.6, 0.35),
        seconds("validate", walls["validate"], 0.6, 0.35),
    ]


def written(scenario: Path) -> Path:
    """The file that `init` wrote, whether or not it added a suffix."""
    return next(path for path in (scenario, scenario.with_suffix("")) if path.is_file())


def seconds(figure: str, walls: list[float], must: float, aim: float) -> Row:
    """A row of wall times."""
    return Row(figure, min(walls), median(walls), "s", must, aim)
