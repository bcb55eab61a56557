"""Loaders: one module a layout of a set."""
