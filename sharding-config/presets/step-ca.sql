-- SPDX-License-Identifier: ISC
--
-- step-ca: its table revoked_x509_certs, keys and values of smallstep/nosql's
-- PostgreSQL driver. Written for step-ca 0.23 and later, whose values have
-- ExpiresAt.
--
-- issuer_id        none: the table has no issuer. A database is one authority's
--                  alone.
-- serial_encoding  decimal
-- scheme           serial-mod with count = 1: one CRL, as step-ca itself has it
-- reads            the whole table, which has revoked certificates only
--
-- What to know:
-- * An authority whose intermediate got another key or name goes on in the same
--   table: what both have revoked is listed, and cannot be told apart.
-- * nkey is a bytea that holds the serial as decimal digits; nvalue one that
--   holds JSON. The serial stands in both; where they differ, the row is a
--   fault that shows both. A value that is no JSON ends the run.
-- * Times are RFC 3339 with up to nine digits of a fraction, which PostgreSQL
--   would round up: they are cut off. What is no such time is NULL, a fault.
-- * ExpiresAt in the year 1 is not known: step-ca had not stored the
--   certificate, or was older than 0.23, where it is missing. That is NULL, a
--   fault. To list such a certificate for good instead, put
--       coalesce(not_after, '9999-12-31 23:59:59Z')
--   in place of not_after in the list of columns.
-- * RevokedAt is step-ca's clock when it revokes: also when that was recorded.
-- * ReasonCode is an integer; a missing or unknown one is a fault.
SELECT
    CASE WHEN key = value ->> 'Serial' THEN key
        ELSE concat(key, ' but Serial is ', value ->> 'Serial')
    END AS serial,
    revoked_at,
    CASE WHEN value ->> 'ReasonCode' ~ '^[0-9]{1,4}$'
        THEN (value ->> 'ReasonCode')::integer ELSE -1
    END AS reason,
    not_after,
    NULL::integer AS shard,
    revoked_at AS recorded_at
FROM (
    SELECT key, value,
        CASE WHEN value ->> 'RevokedAt' ~ form
            THEN regexp_replace(value ->> 'RevokedAt', '[.][0-9]+', '')
            END::timestamptz AS revoked_at,
        CASE WHEN value ->> 'ExpiresAt' ~ form
            AND value ->> 'ExpiresAt' >= '1950'
            THEN regexp_replace(value ->> 'ExpiresAt', '[.][0-9]+', '')
            END::timestamptz AS not_after
    FROM (
        SELECT encode(nkey, 'escape') AS key,
            convert_from(nvalue, 'UTF8')::json AS value,
            '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}'
            '([.][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$' AS form
        FROM revoked_x509_certs
        OFFSET 0) AS stored
    OFFSET 0) AS revoked
WHERE not_after IS NULL OR not_after >= :'lookback';
