"""The few functions that the row policies ask, in a schema of their own beside the key that only they read."""

from __future__ import annotations

import hashlib

from text2sql.row_security.context import SETTING

TABLES = ('CREATE TABLE "{s}".key (inner_pad bytea NOT NULL, outer_pad bytea NOT NULL)',)
NAMES = ("attribute(text, text[], boolean)", "caller()", "context()")
"""Dropped in this order: each asks those after it."""
FUNCTIONS = (
    # The context, once its signature is found to be right. A wrong one is an error: no rows would pass for an answer.
    f"""CREATE OR REPLACE FUNCTION "{{s}}".context() RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $wall$
DECLARE
    given text := current_setting('{SETTING}', true);
    body text := split_part(given, '.', 1);
    found jsonb;
BEGIN
    IF coalesce(given, '') = '' THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (
        SELECT FROM "{{s}}".key k WHERE split_part(given, '.', 2) =
            encode(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(body, 'UTF8'))), 'hex')) THEN
        RAISE EXCEPTION 'what was said of the caller is not signed for this wall; open the warehouse again'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    found := convert_from(decode(body, 'base64'), 'UTF8')::jsonb;
    IF coalesce((found ->> 'until')::bigint, 0) < date_part('epoch', now()) THEN
        RAISE EXCEPTION 'what was said of the caller is more than a day old; compare the clocks of both machines'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN CASE WHEN found ->> 'database' = current_database() THEN found END;
END $wall$""",
    """CREATE OR REPLACE FUNCTION "{s}".caller() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $wall$
    SELECT "{s}".context() ->> 'role' $wall$""",
    # Values of one attribute whose kind fits; NULL where there are none, or several where one is wanted.
    """CREATE OR REPLACE FUNCTION "{s}".attribute(name text, kinds text[], several boolean) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $wall$
    SELECT CASE WHEN several OR cardinality(f.held) = 1 THEN f.held END FROM (
        SELECT array_agg(v.value ORDER BY v.ordinality) AS held
        FROM jsonb_each("{s}".context() -> 'attributes' -> name) k,
            jsonb_array_elements_text(k.value) WITH ORDINALITY v
        WHERE k.key = ANY (kinds)) f $wall$""",
)
VERSION = hashlib.sha256("\n".join(FUNCTIONS + TABLES).encode()).hexdigest()[:16]
"""Changes when the functions do: the next `apply` replaces them."""
POLICY_STANDS = """md5(concat_ws('|', p.polcmd, p.polpermissive,
    (SELECT string_agg(coalesce(r.rolname, 'PUBLIC'), ',' ORDER BY r.rolname) FROM unnest(p.polroles) o(oid)
        LEFT JOIN pg_roles r ON r.oid = o.oid),
    pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)))"""
"""A row policy `p` as PostgreSQL has it, hashed: one that somebody altered is not taken for the one that was made."""


def functions_stand(schema: str) -> str:
    """The same for the functions in the wall's schema, and for who may call them."""
    named = ", ".join(f"to_regprocedure('\"{schema}\".{name}')" for name in NAMES)
    return f"""(SELECT md5(string_agg(concat_ws('|', f.proname, f.prosrc, f.prosecdef, f.proconfig, f.provolatile, EXISTS (
        SELECT FROM aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) x WHERE x.grantee = 0)), ';' ORDER BY f.proname))
    FROM pg_proc f WHERE f.oid IN ({named}))"""  # noqa: S608 - a checked prefix
