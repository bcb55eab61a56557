"""Telling what was understood, how sure that is, and what else could be asked."""
