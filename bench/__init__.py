"""Measures what people wait for, against the least that this stack needs for the same, in one run."""
