"""Evaluation: suites, metrics and reports that say which part of an answer failed."""
