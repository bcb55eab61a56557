"""The relational store: an embedded PostgreSQL 18 with pgvector (or any server by DSN), its pool, its migrations."""
