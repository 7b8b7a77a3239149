"""Benchmarks: how fast the engine is, against NumPy and against C."""
