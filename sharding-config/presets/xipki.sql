-- SPDX-License-Identifier: ISC
--
-- XiPKI: its tables CERT and CA. Written for the schema versions 7 and 8 (XiPKI
-- 6 and 7), whose names are not quoted on PostgreSQL.
--
-- issuer_id        the name of the CA in XiPKI
-- serial_encoding  hex
-- scheme           serial-mod with count = 1: one CRL, as XiPKI itself has it
-- reads            the revoked rows of one CA
--
-- What to know:
-- * SN is hex without leading zeros, so that its length may be odd.
-- * Times are seconds since 1970. One that is not there is NULL, and a fault.
-- * XiPKI has no index on REV; without the one of xipki.index.sql every
--   certificate of the CA is looked at.
-- * A suspended certificate is one on hold: REV is set and RR is 6.
-- * LUPDATE is when the row was last written: when it was revoked.
-- * Certificates of CAs (EE = 0) stand in the same table, and are listed too.
--   Where they have a CRL of their own, two configurations read copies of this
--   file, one with `AND c.EE <> 0`, the other with `AND c.EE = 0`; the role
--   then needs SELECT (EE) as well.
-- * Where CERT and CA are not in one database, CA_ID has to do: take away the
--   JOIN, and compare c.CA_ID with the issuer instead of the name.
SELECT
    c.SN AS serial,
    CASE WHEN c.RT > 0 THEN c.RT END AS revoked_at,
    c.RR AS reason,
    CASE WHEN c.NAFTER > 0 THEN c.NAFTER END AS not_after,
    NULL::integer AS shard,
    CASE WHEN c.LUPDATE > 0 THEN c.LUPDATE END AS recorded_at
FROM CERT AS c
JOIN CA ON CA.ID = c.CA_ID
WHERE lower(CA.NAME) = lower(:'issuer')
    AND c.REV <> 0
    AND (c.NAFTER <= 0 OR c.NAFTER >=
        floor(extract(epoch FROM :'lookback'::timestamptz))::bigint);
