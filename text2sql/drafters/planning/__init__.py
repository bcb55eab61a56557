"""Planning: typed items to a query plan, and the plan to SQL in the catalogue's dialect."""
