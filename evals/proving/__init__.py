"""The guard's proof: rewritten on all data = the original on a copy that holds only what the caller may see."""
