-- Which catalogue objects stand in the semantic store, and in what state: only what changed is embedded again.
CREATE TABLE app.catalog_index (
    document_id text PRIMARY KEY,
    digest      text NOT NULL
);
