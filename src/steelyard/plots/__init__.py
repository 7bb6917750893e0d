"""Figures and pages from plain frames."""
