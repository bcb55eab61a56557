-- Whom to ask for a document that the caller may know of but not read. No part of a scope: it decides nothing.
ALTER TABLE retrieval.documents ADD COLUMN owner text NOT NULL DEFAULT '';
