"""The step loop of two arms against NumPy and C, one thread, on the same people; and recruiting."""

import numpy as np

from benchmarks import c_twin, engine_loop, numpy_twin
from benchmarks.table import Row
from benchmarks.timing import in_turns, ratio

COPIES = 2  # of the engine's batch, so that the NumPy twin has a full chunk


def rows(rounds: int) -> list[Row]:
    """Nanoseconds per arm-week asked for, ratios, and recruiting per patient."""
    engine = engine_loop.prepare()
    engine_loop.check(engine.people)
    people, n = engine_loop.repeated(engine.people, COPIES), COPIES * engine.batch
    normals = numpy_twin.own_normals(engine_loop.SEED)
    calls = {
        "engine": lambda: [engine.live() for _ in range(COPIES)],
        "NumPy, all lanes": lambda: numpy_twin.simulate(people, engine.weeks, normals),
        "NumPy, the dead dropped": lambda: numpy_twin.simulate(people, engine.weeks, normals, drop=True),
    }
    if c_twin.available():
        inputs = c_twin.inputs(people)
        calls["C"] = lambda: c_twin.simulate(inputs, engine.weeks, engine_loop.SEED)
    times = in_turns(calls, rounds)
    events = numpy_twin.simulate(engine.people, engine.weeks, normals).event_time
    alive = np.nan_to_num(events, nan=7 * engine.weeks).mean() / (7 * engine.weeks)
    per_week = 1e9 / (2 * n * engine.weeks)
    found = [
        Row(f"step loop, {name}", min(t) * per_week, float(np.median(t)) * per_week, "ns per arm-week")
        for name, t in times.items()
    ]
    found[0] = found[0]._replace(note=f"{alive:.0%} of them lived")
    gain = ratio(times["NumPy, all lanes"], times["engine"])
    found.append(Row("step loop against NumPy, all lanes", *gain, "times as fast", 12, 20, higher=True))
    found.append(against_c(times))
    return [*found, recruiting(engine, rounds)]


def against_c(times: dict[str, list[float]]) -> Row:
    """Speed of the engine as a share of C's."""
    if "C" not in times:
        return Row("step loop against C", None, None, "%", 65, 80, higher=True, note="clang is not installed")
    best, middle = ratio(times["C"], times["engine"])
    return Row("step loop against C", 100 * best, 100 * middle, "% of its speed", 65, 80, higher=True)


def recruiting(engine: engine_loop.Engine, rounds: int) -> Row:
    """Microseconds per accepted patient, with strata."""
    times = in_turns({"recruit": engine.recruit}, max(rounds, 20))["recruit"]
    scale = 1e6 / engine.batch
    return Row("recruiting with strata", min(times) * scale, float(np.median(times)) * scale, "µs per patient", 3, 0.8)
