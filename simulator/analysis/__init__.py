"""Statistics of a result, or of a real trial's data of the same shape: small functions of arrays."""
