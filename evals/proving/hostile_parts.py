"""What must be refused wherever it stands: `dialects | place | promise | text`.

`{t}` and `{c}` are a table and a column of the caller's; `{q}` a legitimate query. Places: a value, a source in FROM, a
whole SELECT, what follows one, or the whole statement.
"""

from __future__ import annotations

from dataclasses import dataclass

_LETTERS = {"d": "duckdb", "s": "sqlite", "p": "postgres", "a": "athena", "r": "redshift"}


@dataclass(frozen=True, slots=True)
class Part:
    """One hostile part."""

    dialects: frozenset[str]
    place: str
    promise: str
    text: str


_ANYWHERE = """
dspar|value|other tables|(SELECT secret FROM secrets)
dspar|value|other tables|(SELECT MAX(n) FROM nowhere.{t})
dspar|source|other tables|secrets AS t0
dspar|source|other tables|elsewhere.{t} AS t0
dspar|source|other tables|elsewhere.public.{t} AS t0
dpr|source|other tables|pg_temp.{t} AS t0
s|source|other tables|temp.{t} AS t0
ds|source|other tables|temp.secrets AS t0
dspar|value|system catalogues|(SELECT COUNT(*) FROM information_schema.tables)
dspar|value|system catalogues|(SELECT COUNT(*) FROM information_schema.columns)
dspar|source|system catalogues|"information_schema"."tables" AS t0
dpr|value|system catalogues|(SELECT COUNT(*) FROM pg_catalog.pg_class)
dpr|value|system catalogues|(SELECT COUNT(*) FROM pg_class)
dpr|source|system catalogues|pg_catalog.pg_tables AS t0
dpr|source|system catalogues|"pg_catalog"."pg_namespace" AS t0
p|source|system catalogues|U&"pg\\005fclass" AS t0
p|source|system catalogues|U&"pg!005fclass" UESCAPE '!' AS t0
pr|source|system catalogues|pg_stat_activity AS t0
pr|value|system catalogues|(SELECT MAX(usename) FROM pg_user)
pr|value|system catalogues|(SELECT MAX(rolpassword) FROM pg_authid)
r|source|system catalogues|stl_query AS t0
r|source|system catalogues|svv_tables AS t0
a|source|system catalogues|system.runtime.queries AS t0
a|source|system catalogues|"{t}$partitions" AS t0
ds|value|system catalogues|(SELECT MAX(sql) FROM sqlite_master)
s|value|system catalogues|(SELECT MAX(sql) FROM sqlite_schema)
s|value|system catalogues|(SELECT MAX(sql) FROM [sqlite_master])
s|source|system catalogues|main.sqlite_master AS t0
s|source|system catalogues|`sqlite_temp_master` AS t0
ds|source|system catalogues|pragma_table_info('{t}') AS t0
s|source|system catalogues|pragma_database_list AS t0
s|source|system catalogues|dbstat AS t0
d|source|system catalogues|duckdb_tables() AS t0
d|source|system catalogues|duckdb_settings() AS t0
d|source|system catalogues|duckdb_secrets() AS t0
d|source|system catalogues|system.information_schema.tables AS t0
d|source|files|'/etc/passwd' AS t0
d|source|files|'canary.csv' AS t0
d|source|files|"canary.csv" AS t0
d|source|files|'canary.parquet' t0
d|source|files|read_csv('canary.csv') AS t0
d|source|files|read_csv_auto('canary.csv') AS t0
d|source|files|read_text('/etc/passwd') AS t0
d|source|files|read_blob('/etc/passwd') AS t0
d|source|files|read_parquet(['canary.parquet']) AS t0
d|source|files|parquet_scan('canary.parquet') AS t0
d|source|files|read_json('canary.json') AS t0
d|source|files|sniff_csv('canary.csv') AS t0
d|source|files|glob('/*') AS t0
d|source|files|parquet_metadata('canary.parquet') AS t0
d|source|network|read_csv('https://example.org/x.csv') AS t0
d|source|network|'s3://bucket/x.parquet' AS t0
d|source|network|sqlite_scan('x.db', 't') AS t0
d|source|network|postgres_scan('host=x', 'public', 't') AS t0
d|source|SQL in a string|query('SELECT 42') AS t0
d|source|SQL in a string|query_table('secrets') AS t0
d|source|SQL in a string|query('SELECT * FROM ' || 'secrets') AS t0
d|value|session|getenv('HOME')
d|value|session|current_setting('access_mode')
d|value|session|getvariable('x')
dpar|value|session|current_user
dpr|value|session|session_user
dpr|value|session|current_schema()
dpr|value|session|current_database()
dpar|value|session|version()
d|value|session|nextval('seq')
s|value|files|load_extension('x')
s|value|files|readfile('/etc/passwd')
s|value|files|writefile('canary.txt', 'x')
s|value|session|last_insert_rowid()
s|value|session|total_changes()
s|value|session|sqlite_version()
s|value|session|sqlite_compileoption_get(1)
s|value|unbounded|zeroblob(1000000000)
s|value|unbounded|randomblob(1000000000)
s|value|files|fts3_tokenizer('simple')
p|value|time|pg_sleep(1)
p|value|time|pg_catalog.pg_sleep(1)
p|value|time|"pg_sleep"(1)
p|value|time|U&"pg\\005fsleep"(1)
p|source|time|pg_sleep(1) AS t0
p|value|time|pg_sleep_for('1 second')
pr|value|session|current_setting('is_superuser')
pr|value|session|set_config('search_path', 'secret', FALSE)
pr|value|session|pg_backend_pid()
pr|value|session|pg_terminate_backend(1)
p|value|session|pg_advisory_lock(1)
p|value|session|txid_current()
p|value|session|inet_server_addr()
p|value|session|current_role
pr|value|session|has_table_privilege('{t}', 'select')
p|value|session|nextval('seq')
p|value|session|setval('seq', 1)
p|value|files|pg_read_file('/etc/passwd')
p|value|files|pg_read_binary_file('/etc/passwd')
p|source|files|pg_ls_dir('/') AS t0
p|value|files|lo_import('/etc/passwd')
p|value|files|lo_export(1, '/tmp/x')
p|value|network|dblink_connect('host=x')
p|source|network|dblink('host=x', 'SELECT 1') AS t0(a integer)
p|value|SQL in a string|query_to_xml('SELECT 1', TRUE, TRUE, '')
p|value|SQL in a string|table_to_xml('secrets', TRUE, TRUE, '')
p|value|SQL in a string|database_to_xml(TRUE, TRUE, '')
p|value|SQL in a string|cursor_to_xml('c', 1, TRUE, TRUE, '')
p|source|SQL in a string|ts_stat('SELECT 1') AS t0
p|value|types that look names up|'secrets'::regclass
p|value|types that look names up|CAST('secrets' AS regclass)
p|value|types that look names up|'pg_sleep'::regproc
p|value|types that look names up|CAST(1 AS pg_catalog.regtype)
p|value|types that look names up|to_regclass('secrets')
p|value|types that look names up|regclass 'secrets'
p|value|whole rows|(SELECT t0 FROM {t} AS t0 LIMIT 1)
p|value|whole rows|(SELECT row_to_json(t0) FROM {t} AS t0 LIMIT 1)
p|value|whole rows|(SELECT to_jsonb(t0) FROM {t} AS t0 LIMIT 1)
p|value|whole rows|(SELECT MAX(t0::text) FROM {t} AS t0)
p|value|whole rows|(SELECT COUNT(t0) FROM {t} AS t0)
p|value|whole rows|(SELECT json_agg(t0) FROM {t} AS t0)
d|value|whole rows|(SELECT t0 FROM {t} AS t0 LIMIT 1)
d|value|whole rows|(SELECT to_json(t0) FROM {t} AS t0 LIMIT 1)
d|value|whole rows|(SELECT MAX(t0::VARCHAR) FROM {t} AS t0)
d|value|whole rows|(SELECT COUNT(t0) FROM {t} AS t0)
r|value|session|pg_last_query_id()
r|value|session|current_aws_account
a|value|session|fail('x')
a|source|network|TABLE(system.query(query => 'SELECT 1')) AS t0
dpr|source|unbounded|generate_series(1, 100000000000) AS t0(x)
d|source|unbounded|range(100000000000) AS t0(x)
a|source|unbounded|UNNEST(SEQUENCE(1, 100000000000)) AS t0(x)
dpr|value|unbounded|LENGTH(REPEAT('a', 1000000000))
dspar|query|unbounded|WITH RECURSIVE r0(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r0) SELECT COUNT(*) FROM r0
dspar|value|unbounded|(WITH RECURSIVE r0(n) AS (SELECT 1 UNION ALL SELECT n FROM r0) SELECT MAX(n) FROM r0)
dspar|value|unbounded|(WITH RECURSIVE r0(n, x) AS (SELECT 1, 'ab' UNION ALL SELECT n + 1, x || x FROM r0 WHERE n < 60) SELECT MAX(LENGTH(x)) FROM r0)
dspar|value|writes|(WITH d0 AS (DELETE FROM {t} RETURNING 1) SELECT COUNT(*) FROM d0)
dspar|value|writes|(WITH d0 AS (UPDATE {t} SET {c} = NULL RETURNING 1) SELECT COUNT(*) FROM d0)
dspar|source|writes|(INSERT INTO {t} DEFAULT VALUES RETURNING *) AS t0
dspar|query|writes|WITH d0 AS (INSERT INTO {t} SELECT * FROM {t} RETURNING 1) SELECT * FROM d0
dspar|query|writes|DELETE FROM {t}
dspar|query|writes|DROP TABLE {t}
dspar|query|writes|SELECT {c} INTO stolen FROM {t}
dspar|query|writes|SELECT * INTO TEMP stolen FROM {t}
dspar|query|writes|SELECT {c} FROM {t} INTO OUTFILE 'stolen'
dspar|query|writes|TRUNCATE TABLE {t}
dspar|tail|locks|FOR UPDATE
dspar|tail|locks|FOR SHARE
dspar|tail|locks|FOR NO KEY UPDATE SKIP LOCKED
dspar|tail|locks|FOR UPDATE OF {t} NOWAIT
dspar|tail|code in comments|/*! FOR UPDATE */
dspar|tail|code in comments|/*+ full({t}) */
dspar|tail|more than one|; DROP TABLE {t}
dspar|tail|more than one|; SELECT 1

dspar|value|placeholders|?
dspar|value|placeholders|$1
dspar|value|placeholders|:name
dspar|value|placeholders|%(name)s
sa|value|placeholders|@name
dspar|value|placeholders|{{ name }}
"""
_STATEMENTS = """
dspar|whole|more than one|{q}; DROP TABLE {t}
dspar|whole|more than one|{q};SELECT 1
dspar|whole|more than one|SELECT 1; {q}
dspar|whole|more than one|DROP TABLE {t}; {q}
dspar|whole|more than one|BEGIN; {q}; COMMIT
dspar|whole|writes|CREATE TABLE stolen AS {q}
dspar|whole|writes|CREATE VIEW stolen AS {q}
dspar|whole|writes|CREATE TEMP TABLE stolen AS {q}
dspar|whole|writes|INSERT INTO {t} {q}
dspar|whole|writes|INSERT INTO {t} ({c}) {q}
dspar|whole|writes|REPLACE INTO {t} {q}
dspar|whole|writes|DELETE FROM {t} WHERE EXISTS ({q})
dspar|whole|writes|UPDATE {t} SET {c} = NULL WHERE EXISTS ({q})
dspar|whole|writes|MERGE INTO {t} USING ({q}) AS s ON TRUE WHEN MATCHED THEN DELETE
dspar|whole|writes|WITH gone AS (DELETE FROM {t} RETURNING *) {q}
dspar|whole|writes|DROP TABLE {t}
dspar|whole|writes|ALTER TABLE {t} RENAME TO stolen
dspar|whole|writes|TRUNCATE {t}
dspar|whole|writes|GRANT ALL ON {t} TO PUBLIC
dspar|whole|files|COPY ({q}) TO '/tmp/stolen.csv'
dspar|whole|files|COPY {t} FROM PROGRAM 'id'
dspar|whole|files|COPY {t} TO STDOUT
dspar|whole|files|LOAD 'x.so'
dspar|whole|files|EXPORT DATABASE 'stolen'
dspar|whole|network|INSTALL httpfs
dspar|whole|network|ATTACH 'other.db' AS other
dspar|whole|network|ATTACH DATABASE 'other.db' AS other
dspar|whole|network|UNLOAD ('{q}') TO 's3://stolen'
dspar|whole|session|PRAGMA table_info({t})
dspar|whole|session|PRAGMA writable_schema = 1
dspar|whole|session|SET search_path TO secret
dspar|whole|session|SET enable_external_access = TRUE
dspar|whole|session|RESET ALL
dspar|whole|session|USE other
dspar|whole|session|SHOW TABLES
dspar|whole|session|DESCRIBE {t}
dspar|whole|session|SUMMARIZE {t}
dspar|whole|session|CALL something()
dspar|whole|session|VACUUM
dspar|whole|session|ANALYZE {t}
dspar|whole|session|CHECKPOINT
dspar|whole|session|LISTEN c
dspar|whole|session|NOTIFY c
dspar|whole|session|LOCK TABLE {t}
dspar|whole|session|DISCARD ALL
dspar|whole|session|PREPARE p AS {q}
dspar|whole|session|EXECUTE p
dspar|whole|session|DECLARE c CURSOR FOR {q}
dspar|whole|session|DO $$ BEGIN PERFORM 1; END $$
dspar|whole|session|EXPLAIN {q}
dspar|whole|session|EXPLAIN ANALYZE {q}
dspar|whole|session|EXPLAIN ANALYZE DELETE FROM {t}
dspar|whole|session|EXPLAIN QUERY PLAN {q}
dspar|whole|session|PIVOT {t} ON {c}
"""


def _read(text: str) -> tuple[Part, ...]:
    lines = [line.split("|", 3) for line in text.splitlines() if line]
    return tuple(
        Part(frozenset(_LETTERS[letter] for letter in letters), place, promise, part)
        for letters, place, promise, part in lines
    )


PARTS = _read(_ANYWHERE)
WHOLE = _read(_STATEMENTS)
