"""Simulation of series over a history: how a fund is run, its results, comparisons of runs."""
