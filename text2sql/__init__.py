"""From a question to a guarded query over the warehouse: link, draft, guard, run."""
