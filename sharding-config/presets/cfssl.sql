-- SPDX-License-Identifier: ISC
--
-- CFSSL's certdb: its table certificates. Written for the PostgreSQL migrations
-- 001_CreateCertificates and 002_AddMetadataToCertificates (CFSSL 1.6).
--
-- issuer_id        the key identifier of the issuer, in hex without colons;
--                  `crlpress init --issuer-cert FILE` makes it of its
--                  certificate
-- serial_encoding  decimal
-- scheme           serial-mod with count = 1: one CRL. Where certificates name
--                  several, the column pem tells which: scheme = cdp,
--                  `convert_from(pem, 'UTF8') AS certificate` in place of
--                  `NULL::integer AS shard`, and SELECT (pem) for the role.
-- reads            the revoked rows of one issuer
--
-- What to know:
-- * One table holds the certificates of every CA, so the key identifier is
--   asked for. It is a bytea that holds hex digits as ASCII, lower case unless
--   somebody else wrote it. CFSSL's own `crl` command does not look at it.
-- * serial_number is a bytea too, with decimal digits as ASCII.
-- * A time that CFSSL was not given is Go's zero time, in the year 1, or NULL.
--   A revoked row without an expiry must not be taken for one that expired long
--   ago, so both are read, and are faults, and so is such a date of revocation.
-- * CFSSL sets revoked_at to the database's clock when it revokes: it is also
--   when the row was recorded. created_at is when the certificate was issued.
-- * reason is any integer; NULL, or one that RFC 5280 does not know, is a
--   fault.
SELECT
    serial_number AS serial,
    revoked_at,
    reason,
    expiry AS not_after,
    NULL::integer AS shard,
    revoked_at AS recorded_at
FROM certificates
WHERE status = 'revoked'
    AND lower(encode(authority_key_identifier, 'escape')) = lower(:'issuer')
    AND (expiry IS NULL OR expiry < '1950-01-01 00:00:00Z'
        OR expiry >= :'lookback');
