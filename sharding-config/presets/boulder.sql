-- SPDX-License-Identifier: ISC
--
-- Boulder's schema, ported to PostgreSQL: the table revokedCertificates of the
-- migration 20230919000000_RevokedCertificates, with its names in quotes as
-- they are, bigint for bigint(20), and timestamp without time zone for
-- datetime. Boulder itself runs on MariaDB and MySQL.
--
-- issuer_id        issuerID: the first 7 octets of the SHA-1 of the issuer's
--                  subject, as an integer; `crlpress init --issuer-cert FILE`
--                  makes it of its certificate
-- serial_encoding  hex
-- scheme           column, first = 1
-- reads            the revoked rows of one issuer
--
-- What to know:
-- * The ID is one of the name, not of the key: two issuers of one name, with
--   two keys, have one.
-- * shardIdx begins with 1. A row with 0 belongs to no shard, which withholds
--   all of them.
-- * notAfterHour is the expiry rounded up to the next full hour, always: an
--   entry may stay an hour longer than it need, and never leaves early.
-- * Times have no zone, and are UTC. Where the port made them timestamp with
--   time zone, take away each AT TIME ZONE 'UTC': crlpress refuses the wrong
--   one by its type.
-- * No index keeps a serial from standing twice. Rows that agree count once;
--   others close the gate `duplicate`.
-- * Only certificates with a shard of their own stand here. Others stand in
--   certificateStatus, and on CRLs that go by expiry.
SELECT
    serial,
    "revokedDate" AT TIME ZONE 'UTC' AS revoked_at,
    "revokedReason" AS reason,
    "notAfterHour" AT TIME ZONE 'UTC' AS not_after,
    "shardIdx" AS shard
FROM "revokedCertificates"
WHERE "issuerID" = :'issuer'
    AND ("notAfterHour" < '1950-01-01 00:00:00'
        OR "notAfterHour" >= :'lookback'::timestamptz AT TIME ZONE 'UTC');
