"""The version of the program, in a place that everything may read."""

__all__ = ["__version__"]

__version__ = "0.1.0"
