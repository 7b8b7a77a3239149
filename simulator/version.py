"""The version: pyproject, results and the command read it here, so that a source tree knows it without installation."""

__version__ = "0.2.0"
