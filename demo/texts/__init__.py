"""The documents as Markdown templates, `<folder>__<name>.<language>.md`; `{facts}` come from demo/facts.py."""
