"""What a first run compiles: figures that do not depend on how busy the machine is, so that CI can hold them.

They depend on the versions of numba and llvmlite, and instructions on the processor. One process compiles everything,
so that all is counted.
"""

import json
import os
import subprocess
import sys
import tempfile

from benchmarks.table import Row

COUNT = """
import json, os, sys
from numba.core import event
from simulator.engine import compiling, loop, recruit
from simulator.studies.compiling import fill_cache

class Listener(event.Listener):
    functions = 0
    def on_start(self, one): pass
    def on_end(self, one): self.functions += 1

def instructions(kernel):
    (text,) = kernel.inspect_llvm().values()
    return sum(line.startswith("  ") for line in text.splitlines())

listener = Listener()
compiling._start = lambda parts: None
with event.install_listener("numba:compile", listener):
    filled = fill_cache(["valor"])
found = {"functions": listener.functions, "live": instructions(loop.live), "recruit": instructions(recruit.recruit)}
print(json.dumps(found | {"megabytes": filled.megabytes}))
"""


def counted() -> dict[str, float]:
    """Functions compiled for `valor`, instructions of its two kernels, size of the cache [MB]."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "ALS_SIM_CACHE": cache}
        done = subprocess.run([sys.executable, "-c", COUNT], env=environment, check=True, stdout=subprocess.PIPE)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def rows(rounds: int) -> list[Row]:
    """One first run; it is the same each time."""
    found = counted()
    return [
        _row("functions compiled for valor", found["functions"], "", MOST["functions"]),
        _row("instructions of the loop", found["live"], "", MOST["live"]),
        _row("instructions of recruiting", found["recruit"], "", MOST["recruit"]),
        _row("compiled kernels of valor on disk", found["megabytes"], "MB", MOST["megabytes"]),
    ]


MOST = {"functions": 132, "live": 27_000, "recruit": 20_000, "megabytes": 2.4}
"""What a change may not exceed unless it says why."""


def _row(figure: str, value: float, unit: str, must: float) -> Row:
    return Row(figure, value, value, unit, must)
