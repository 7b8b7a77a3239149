"""Every number that is read off a result, by its name: label, unit, digits, error, how two arms are compared."""
