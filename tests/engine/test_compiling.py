"""How kernels are compiled, kept and shared; nothing here is about what they compute."""

import errno
import json
import os
import random as random_numbers
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.core.caching import IndexDataCacheFile
from numba.core.codegen import JITCodeLibrary
from numba.core.cpu import CPUContext

import simulator as sim
from simulator.cli.progress import CLEAR, Progress
from simulator.engine import batches, collecting, compiling, jit, loop, random, recruit
from simulator.engine.compiling import NAME_ANOTHER as ANOTHER
from simulator.engine.listeners import while_noting
from simulator.engine.random import make_key
from simulator.program import compile_program
from simulator.run import SUMMED, simulate
from simulator.studies import compiling as studies
from simulator.studies import doctor

pytestmark = pytest.mark.skipif(not jit.JIT, reason="nothing is compiled")


INT = (jit.numba.int64,)


def twice(x):
    return x + x


def kernel():
    return jit.kernel(twice)


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Two places for kernels."""
    found = [tmp_path / "shared", tmp_path / "own"]
    for place in found:
        place.mkdir()
    monkeypatch.setattr(jit, "places", lambda: found)
    monkeypatch.setattr(compiling, "places", lambda: found)
    jit.cache_folder.cache_clear()
    yield found
    jit.cache_folder.cache_clear()


def read_only(monkeypatch, *forbidden):
    monkeypatch.setattr(jit, "_writable", lambda folder: folder not in forbidden)
    jit.cache_folder.cache_clear()


@pytest.fixture
def notes():
    found = []
    with while_noting(found.append):
        yield found


def files(place):
    return sorted(path.suffix for path in place.iterdir())


@pytest.mark.parametrize(
    "call", [lambda: random.philox(0, 0, 0, 0, 0, 0)[0], lambda: int(collecting.find(np.arange(3), 1))]
)
def test_what_is_inside_kernels_can_be_called_from_python(call):
    assert call() in (0x6627E8D5, 1)


def test_a_shared_cache_that_cannot_be_written_is_read(places, monkeypatch):
    assert kernel()(2) == 4
    assert files(places[0]) == [".nbc", ".nbi"]
    read_only(monkeypatch, places[0])
    again = kernel()
    assert again._cache.place(INT, again.targetctx) == str(places[0])
    assert again(3) == 6
    assert sum(again.stats.cache_hits.values()) == 1
    assert again(0.5) == 1  # another type: compiled, and kept in the place of one's own
    assert files(places[1]) == [".nbc", ".nbi"]
    assert len(files(places[0])) == 2


def test_where_nothing_can_be_written_kernels_are_compiled_all_the_same(places, notes, monkeypatch):
    read_only(monkeypatch, *places)
    monkeypatch.chdir(places[0])
    one = kernel()
    assert one(2) == 4
    assert not files(places[0])
    compiling._say_where([(one, INT)])
    assert notes[0].startswith("compiled kernels cannot be kept, so every start compiles: ")
    with pytest.raises(sim.SimulatorError, match="no folder"):
        studies.fill_cache(["valor"])


def test_a_full_place_is_left_for_the_next_one(places, notes, monkeypatch):
    disk = shutil.disk_usage(places[0])
    free = {places[0]: 1000}
    monkeypatch.setattr(jit.shutil, "disk_usage", lambda place: disk._replace(free=free.get(place, disk.free)))
    for hits in (0, 1):
        one = kernel()
        assert one(2) == 4
        assert sum(one.stats.cache_hits.values()) == hits
    compiling._say_where([(one, INT)])
    assert notes == [f"{places[0]} cannot be written or is full: compiled kernels are in {places[1]}; {ANOTHER}"]


def damage(path, how, draw):
    """A file emptied, cut, filled with junk, or with one bit flipped."""
    content = bytearray(path.read_bytes())
    at = draw.randrange(len(content))
    if how == "flipped":
        content[at] ^= 1 << draw.randrange(8)
    path.write_bytes({"empty": b"", "cut": content[:at], "junk": draw.randbytes(len(content))}.get(how, content))


@pytest.mark.parametrize("suffix", ["nbc", "nbi"])
@pytest.mark.parametrize("how", ["empty", "cut", "junk", "flipped"])
def test_a_damaged_file_is_no_kernel(places, notes, suffix, how):
    """Three of each kind, 24 in all: none is run, each is said, compiled again, and then loaded."""
    kernel()(2)
    for seed in range(3):
        (path,) = places[0].glob(f"*.{suffix}")
        damage(path, how, random_numbers.Random(seed))
        assert jit.damaged() == [path]
        one = kernel()
        assert one._cache.place(INT, one.targetctx) is None
        assert one(2) == 4
        assert not sum(one.stats.cache_hits.values())
        assert notes[-1].startswith(f"{path} is damaged and not used")
        assert not jit.damaged()
        again = kernel()
        assert again(2) == 4
        assert sum(again.stats.cache_hits.values()) == 1


def test_what_a_killed_process_left_in_the_cache_goes(places):
    left = places[0] / "a.nbc.tmp.0123"
    left.write_text("")
    assert jit.cache_folder() == places[0]
    assert left.exists()  # its process may be at work
    os.utime(left, (0, 0))
    jit.cache_folder.cache_clear()
    jit.cache_folder()
    assert not left.exists()


def test_doctor_loads_a_kernel(places, monkeypatch):
    assert doctor._cache() == ("kernel cache", f"{places[0]}: 1 kernels, one of them loaded", True)
    (path,) = places[0].glob("*.nbc")
    damage(path, "flipped", random_numbers.Random(1))
    assert not doctor._cache().passed
    assert str(path) in doctor._cache().finding
    assert studies.fill_cache([]).megabytes == 0
    assert doctor._cache().passed
    monkeypatch.setattr(jit._Sealed, "save", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    for place in places[0].iterdir():
        place.unlink()
    assert "takes no kernel" in doctor._cache().finding


def test_files_of_another_user_among_temporary_ones_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(jit.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = jit.places()[-1]
    folder.mkdir(parents=True)
    assert jit._is_safe(folder)
    monkeypatch.setattr(jit, "_temporary", lambda: folder.parent)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert not jit._is_safe(folder)


def test_the_parts_are_what_a_run_calls():
    """Else they would be compiled for nothing, and then once more."""
    scenario = sim.load("valor")
    simulate(scenario, patients=3, threads=1)
    p = compile_program(scenario, SUMMED, 3, True)
    full, worker = batches.make_full(p.sizes, True), batches.make_worker(p.sizes)
    calls = [call for calls in compiling._calls(p, make_key(1), full, worker) for call in calls]
    typed = {function: tuple(map(jit.numba.typeof, arguments)) for function, arguments in calls}
    for function in (collecting.keep_people, loop.live, recruit.recruit):
        assert typed[function] in function.overloads


def test_work_is_shared_with_another_process(places, monkeypatch):
    """A kernel that the other process has left undone is compiled here in the end."""
    told = []
    monkeypatch.setattr(compiling, "tell", lambda done, total: told.append((done, total)))
    monkeypatch.setattr(compiling, "_start", lambda parts: subprocess.Popen(["true"], stdout=subprocess.PIPE))
    monkeypatch.setattr(compiling, "cores", lambda: 2)
    one, other = kernel(), kernel()
    compiling._compile([(one, (jit.numba.int64,))], [(other, (jit.numba.float64,))])
    assert told == [(0, 2), (1, 2), (2, 2)]
    assert len(other.overloads) == 1


@pytest.mark.parametrize("terminal", [True, False])
def test_compiling_is_told_at_once(terminal, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    with Progress():
        for done in range(3):
            compiling.tell(done, 2)
    compiling.tell(0, 2)
    lines = [f"compiling the engine, once: {done} of 2" for done in range(2 if terminal else 1)]
    shown = "".join(f"{CLEAR}{line}, 0 s" for line in [*lines, "simulating"]) + CLEAR
    assert capsys.readouterr().err == (shown if terminal else f"{lines[0]}\n")


COUNT = """
import sys
from numba.core import event
from simulator.cli.app import main

class Listener(event.Listener):
    def on_start(self, one): pass
    def on_end(self, one): print(one.data["dispatcher"].py_func.__name__, file=sys.stderr)

event.register("numba:compile", Listener())
main()
"""


def counted(*arguments: str, cache: Path) -> tuple[str, list[str]]:
    """What a command prints, and the functions that its process compiles."""
    done = subprocess.run(
        [sys.executable, "-c", COUNT, *arguments],
        env={**os.environ, "ALS_SIM_CACHE": str(cache)},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout, done.stderr.splitlines()


@pytest.mark.slow
def test_the_cache_can_be_filled_ahead(tmp_path):
    told, compiled = counted("compile", "valor", "--json", cache=tmp_path)
    found = json.loads(told)
    assert compiled[0] == "compiling the engine, once: 0 of 5"
    assert found["scenarios"][0]["parts"] == 5
    assert Path(found["folder"]).parent == tmp_path
    for part in ("show", "look_at_everybody"):  # with other types the loop would have compiled another
        assert len([*Path(found["folder"]).glob(f"collecting.{part}-*.nbc")]) == 1
    assert not {"live", "recruit"} & set(compiled)  # other processes did these
    assert counted("compile", "valor", cache=tmp_path)[1] == []
    rests, *_, written = counted("run", "valor", "-n", "50", "-o", str(tmp_path / "result"), cache=tmp_path)[1]
    assert (rests.partition(" ")[0], written.partition(" ")[0]) == ("Rests", "Written")


def test_index_files_are_numbas():
    """What is taken from numba's own cache is there in this version."""
    assert callable(IndexDataCacheFile.load)
    assert callable(IndexDataCacheFile._save_data)
    assert callable(IndexDataCacheFile._save_index)
    assert callable(JITCodeLibrary._finalize_final_module)
    assert callable(CPUContext.get_executable)


def test_processes_that_keep_kernels_at_once_do_not_mix_them(tmp_path, monkeypatch):
    """Each has read the index before the other wrote it; both kernels were `1.nbc` before."""
    file = jit._Sealed(str(tmp_path), "one", "stamp")
    monkeypatch.setattr(jit._Sealed, "_load_index", lambda _: {})
    for key in ("int", "float"):
        file.save(key, f"for {key}")
    assert len([*tmp_path.glob("*.nbc")]) == 2
    monkeypatch.undo()
    assert (file.load("int"), file.load("float")) == (None, "for float")


def test_parts_of_the_loop_are_compiled_with_the_loop_only(monkeypatch):
    """A folder that has the loop but not its parts needs nothing else."""
    calls = [(loop.live, (1,))], [(collecting.show, (1,)), (recruit.recruit, (1,))]
    for absent, expected in (
        ((collecting.show,), []),
        ((collecting.show, recruit.recruit), [recruit.recruit]),
        ((collecting.show, loop.live), [loop.live, collecting.show]),
    ):
        monkeypatch.setattr(compiling, "_place", lambda part, absent=absent: None if part[0] in absent else "there")
        assert [function for share in compiling._missing(*calls) for function, _ in share] == expected


def test_no_kernel_is_looked_for_where_one_stands(monkeypatch):
    """What lies in the cache is run: a folder that depends on where a command is started is nobody's cache."""
    monkeypatch.delenv("ALS_SIM_CACHE", raising=False)
    for home, base in (("", ""), ("here", "here"), ("", "./here")):
        monkeypatch.setenv("HOME", home)
        monkeypatch.setenv("XDG_CACHE_HOME", base)
        assert jit.places()
        assert all(place.is_absolute() for place in jit.places())
    monkeypatch.setenv("ALS_SIM_CACHE", "mine")
    assert not jit.places()[0].is_absolute()
