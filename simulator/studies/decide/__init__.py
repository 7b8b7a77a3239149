"""A decision between options on costs and effects: base case, probabilistic analysis, value of information."""
