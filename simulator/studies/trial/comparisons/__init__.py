"""Several arms against a control, and trials that change their course: a rule each in a file."""
