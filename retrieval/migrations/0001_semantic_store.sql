-- Documents and chunks, and the two ways to find them: by word (BM25 as an inner product) and by vector.

CREATE SCHEMA IF NOT EXISTS retrieval;

-- Vectors of different embedders are never compared, so each row says whose it is.
CREATE TABLE retrieval.embedders (
    key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    identity text NOT NULL UNIQUE,
    dimensions integer NOT NULL CHECK (dimensions > 0)
);

-- What BM25's statistics are taken over. `average` is the mean length its chunks were weighed with.
CREATE TABLE retrieval.collections (
    key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    kind text NOT NULL,
    language text NOT NULL,
    average real NOT NULL DEFAULT 0,
    UNIQUE (tenant, kind, language)
);

-- Every distinct answer to "who may see it, and what is it": all filters of a search are decided on these few
-- rows, and a chunk carries one integer. A scope never changes; a document that is relabelled moves to another.
CREATE TABLE retrieval.scopes (
    key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest text NOT NULL UNIQUE,
    collection integer NOT NULL REFERENCES retrieval.collections,
    tenant text NOT NULL,
    kind text NOT NULL,
    language text NOT NULL,
    source text NOT NULL,
    labels text[] NOT NULL,
    discoverable boolean NOT NULL,
    chunks bigint NOT NULL DEFAULT 0,
    length bigint NOT NULL DEFAULT 0
);
CREATE INDEX ON retrieval.scopes (tenant);
CREATE INDEX ON retrieval.scopes (collection);

CREATE TABLE retrieval.documents (
    key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    scope integer NOT NULL REFERENCES retrieval.scopes,
    version text NOT NULL,
    uri text NOT NULL,
    title text NOT NULL,
    as_of timestamptz,
    media_type text NOT NULL,
    metadata jsonb NOT NULL
);

CREATE TABLE retrieval.chunks (
    key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document bigint NOT NULL REFERENCES retrieval.documents ON DELETE CASCADE,
    id text NOT NULL UNIQUE,
    ordinal integer NOT NULL,
    text text NOT NULL,
    starts integer NOT NULL,
    ends integer NOT NULL,
    page integer,
    heading text NOT NULL,
    pii jsonb NOT NULL  -- [[start, end, kind], …]
);
CREATE INDEX ON retrieval.chunks (document);

-- The lexical side. A term is a 29-bit hash of a token; `terms` ascend and `counts` run beside them.
CREATE TABLE retrieval.lexical (
    chunk bigint PRIMARY KEY REFERENCES retrieval.chunks ON DELETE CASCADE,
    scope integer NOT NULL,
    length integer NOT NULL,
    terms integer[] NOT NULL,
    counts integer[] NOT NULL,
    bm25 sparsevec(1000000000) NOT NULL
);
CREATE INDEX lexical_terms ON retrieval.lexical USING gin (terms);
CREATE INDEX lexical_scope ON retrieval.lexical (scope);

-- The dense side, in a narrow table of its own: an exact scan reads little else. One HNSW index an embedder is
-- made when there are many rows.
CREATE TABLE retrieval.vectors (
    chunk bigint PRIMARY KEY REFERENCES retrieval.chunks ON DELETE CASCADE,
    scope integer NOT NULL,
    embedder integer NOT NULL REFERENCES retrieval.embedders,
    embedding halfvec NOT NULL
);
CREATE INDEX vectors_scope ON retrieval.vectors (embedder, scope);
-- Values stay in the row: fetching each from the side table would cost more than comparing it.
ALTER TABLE retrieval.vectors ALTER COLUMN embedding SET STORAGE MAIN;
ALTER TABLE retrieval.vectors SET (toast_tuple_target = 8160);
ALTER TABLE retrieval.lexical ALTER COLUMN bm25 SET STORAGE MAIN;
ALTER TABLE retrieval.lexical SET (toast_tuple_target = 8160);

-- In how many chunks of a collection a term occurs.
CREATE TABLE retrieval.terms (
    collection integer NOT NULL REFERENCES retrieval.collections,
    term integer NOT NULL,
    chunks bigint NOT NULL,
    PRIMARY KEY (collection, term)
) WITH (fillfactor = 80);

-- The document side of BM25 (Robertson and Zaragoza 2009): saturated, length-normalised term frequency. Its inner
-- product with a vector of idf is the score. k1 = 0.9 and b = 0.4.
CREATE FUNCTION retrieval.saturate(terms integer[], counts integer[], length integer, average real)
RETURNS sparsevec LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ('{' || coalesce(string_agg(
        format('%s:%s', term, (count * 1.9 / (count + 0.9 * (0.6 + 0.4 * length / greatest(average, 1))))::real),
        ',' ORDER BY term), '') || '}/1000000000')::sparsevec
    FROM unnest(terms, counts) AS pair (term, count)
$$;

-- Statistics follow the rows, whoever writes or deletes them. Terms are taken in order, so that two writers meet
-- in the same order and cannot deadlock.
CREATE FUNCTION retrieval.count_terms() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign constant integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    INSERT INTO retrieval.terms AS known (collection, term, chunks)
    SELECT scopes.collection, term, sign * count(*)
    FROM changed JOIN retrieval.scopes ON scopes.key = changed.scope, unnest(changed.terms) AS term
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (collection, term) DO UPDATE SET chunks = known.chunks + excluded.chunks;

    UPDATE retrieval.scopes SET chunks = scopes.chunks + sign * delta.chunks, length = scopes.length + sign * delta.length
    FROM (SELECT scope, count(*) AS chunks, sum(length) AS length FROM changed GROUP BY scope) AS delta
    WHERE scopes.key = delta.scope;

    IF sign < 0 THEN
        DELETE FROM retrieval.terms AS known USING (
            SELECT DISTINCT scopes.collection, term
            FROM changed JOIN retrieval.scopes ON scopes.key = changed.scope, unnest(changed.terms) AS term
        ) AS gone
        WHERE known.collection = gone.collection AND known.term = gone.term AND known.chunks <= 0;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER lexical_inserted AFTER INSERT ON retrieval.lexical
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION retrieval.count_terms();
CREATE TRIGGER lexical_deleted AFTER DELETE ON retrieval.lexical
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION retrieval.count_terms();
