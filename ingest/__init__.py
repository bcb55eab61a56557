"""Documents from their sources, through parsers and checks, into the lake and the semantic store."""
