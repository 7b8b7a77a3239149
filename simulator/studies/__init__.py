"""Studies: what is asked of runs. One run with its folder, its headline, comparisons of two, a repetition."""
