"""The Monte Carlo engine: numpy and numba only. Kernels know numbers; names live in the packages above."""
