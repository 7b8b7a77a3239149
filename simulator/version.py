"""The version: pyproject, results and the command read it here, so that a source tree knows it without installation."""

from __future__ import annotations

__version__ = "0.2.0"

LIBRARIES = ("h5py", "llvmlite", "numba", "numpy")
"""What computes and writes the numbers."""


def versions() -> dict[str, str]:
    """Versions of what computes the numbers."""
    import platform
    from importlib import metadata

    return {"python": platform.python_version(), **{name: metadata.version(name) for name in LIBRARIES}}
