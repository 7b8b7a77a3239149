"""Functions that answer by the type of their first argument: at compile time under numba, at run time in plain Python.

The type is that of a NamedTuple of numbers. So what a run does not need costs it neither time nor compiling.
"""

import inspect
from collections.abc import Callable
from typing import Any

from numba.extending import overload

from simulator.engine.jit import INSIDE, JIT, OPTIONS

Table = dict[type, Callable]


def by_type(table: Table, inline: bool = True) -> Callable[[Callable], Callable]:
    """Decorate a stub, whose arguments and docstring say what is asked; `table` has the answers, by type.

    Answers are compiled into the caller unless not `inline`: a long one with several callers stays a call.
    """

    def decorate(stub: Callable) -> Callable:
        def call(*args: Any) -> Any:
            return table[type(args[0])](*args)

        def choose(*args: Any) -> Callable | None:
            return table.get(getattr(args[0], "instance_class", type(None)))

        if not JIT:
            return call
        choose.__signature__ = inspect.signature(stub)  # type: ignore[attr-defined]
        overload(stub, jit_options={**OPTIONS, **INSIDE, "forceinline": inline})(choose)
        return stub

    return decorate
