"""Which parameter moves an outcome, told apart from Monte Carlo noise: arrays in, numbers out."""
