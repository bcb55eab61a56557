"""How drafts of queries are measured: databases at hand, gold run, drafts judged, figures made of them."""
