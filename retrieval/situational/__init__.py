"""What is known about who asks and about the thing asked about, as dated facts with their origin."""

from retrieval.situational.declared import load_sources

__all__ = ["load_sources"]
