"""The running example: an auto insurer's customers, warehouse, documents, semantic model and policy."""
