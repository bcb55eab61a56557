"""Prompt templates as files; a prompt's version is the hash of its text."""
