"""A series over history: the drivers of a fund, its run, and comparisons of runs."""
