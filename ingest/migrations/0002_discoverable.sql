-- What the settings said of a document besides its labels, so that a changed mark is noticed and applied in place.
ALTER TABLE ingest.documents
    ADD COLUMN discoverable boolean NOT NULL DEFAULT false,
    ADD COLUMN owner        text    NOT NULL DEFAULT '';
