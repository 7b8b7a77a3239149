"""Where a model's section becomes numbers: the `compile` module of its folder, loaded when a scenario uses it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from simulator.models import MODELS


def numbers_of(model: str) -> ModuleType:
    """The module that turns a model's specification into numbers; importing it registers the model's kernels."""
    return import_module(f"{MODELS[model].__module__.rpartition('.')[0]}.compile")
