-- SPDX-License-Identifier: ISC
--
-- EJBCA: its tables CertificateData and NoConflictCertificateData. Written for
-- EJBCA CE 7.4 and later on PostgreSQL (tables of doc/sql-scripts, whose names
-- are not quoted, with the column crlPartitionIndex that EJBCA adds itself).
--
-- issuer_id        issuerDN, spelt as EJBCA does:
--                  SELECT DISTINCT issuerDN FROM CertificateData;
-- serial_encoding  decimal
-- scheme           column
-- reads            all of CertificateData that is revoked or archived
--
-- What to know:
-- * Times are milliseconds, and 64 bits wide: an int4 overflows as soon as one
--   is made of seconds. They are cut off towards the past. EJBCA writes -1 for
--   a date it does not know; that is NULL here, a fault, and not 1969.
-- * Status 40 is revoked, on hold too. EJBCA sets 60 (archived) when a revoked
--   certificate stood on its own CRL after it had expired, though it may not
--   have stood on ours: so archived rows are read too, if they were revoked
--   (reason -1 is none). They are also the proof that an entry may leave.
-- * A row of status 40 whose reason is -1 contradicts itself, and is a fault.
-- * NoConflictCertificateData is written, never changed: of the rows of a
--   serial the newest updateTime counts. Two rows of one time that disagree
--   are both read, and then the gate `duplicate` says so. Where the table does
--   not exist, leave out what stands between the marks.
-- * crlPartitionIndex 0, -1 and NULL are the CA's main CRL: shard 0. Where
--   certificates of both kinds exist, the main CRL's URL has no number in it
--   and so needs a configuration of its own: two copies of this file, each with
--   one of the lines at the end.
-- * A CA that got a new key keeps its issuerDN, and EJBCA's CRL, signed by the
--   new key, lists the certificates of both. So does this.
-- * updateTime of a revoked row is when it was revoked in the database; when
--   archived it is when that was, which says nothing.
-- * Certificates of CAs stand in the same table (type 2 and 8), and are listed
--   too, as in EJBCA's CRL.
WITH revoked AS (
    SELECT serialNumber, revocationDate, revocationReason, expireDate,
        crlPartitionIndex, status, updateTime
    FROM CertificateData
    WHERE issuerDN = :'issuer' AND status IN (40, 60)
    -- [ NoConflictCertificateData
    UNION ALL
    SELECT serialNumber, revocationDate, revocationReason, expireDate,
        crlPartitionIndex, status, updateTime
    FROM (SELECT serialNumber, revocationDate, revocationReason, expireDate,
            crlPartitionIndex, status, updateTime,
            rank() OVER (PARTITION BY serialNumber ORDER BY updateTime DESC)
                AS age
        FROM NoConflictCertificateData
        WHERE issuerDN = :'issuer') AS every
    WHERE age = 1 AND status IN (40, 60)
    -- ] NoConflictCertificateData
)
SELECT
    serialNumber AS serial,
    CASE WHEN revocationDate > 0 THEN revocationDate / 1000 END AS revoked_at,
    revocationReason AS reason,
    CASE WHEN expireDate > 0 THEN expireDate / 1000 END AS not_after,
    CASE WHEN crlPartitionIndex IS NULL OR crlPartitionIndex = -1 THEN 0
        ELSE crlPartitionIndex END AS shard,
    CASE WHEN status = 40 AND updateTime > 0 THEN updateTime / 1000 END
        AS recorded_at
FROM revoked
WHERE (status = 40 OR revocationReason <> -1)
    AND (expireDate <= 0 OR expireDate >= 1000 *
        floor(extract(epoch FROM :'lookback'::timestamptz))::bigint)
    -- Main CRL beside partitions, one line each of two configurations:
    -- AND coalesce(crlPartitionIndex, 0) <= 0 -- the main CRL
    -- AND crlPartitionIndex > 0 -- the partitions
;
