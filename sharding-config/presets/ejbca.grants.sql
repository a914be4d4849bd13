-- SPDX-License-Identifier: ISC
--
-- What crlpress may read of EJBCA's database, and no more: no certificate, no
-- name, no key. To be run by the owner of the tables; again without harm.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles
                   WHERE rolname = 'crlpress_reader') THEN
        CREATE ROLE crlpress_reader NOLOGIN;
        COMMENT ON ROLE crlpress_reader IS
            'Reads revoked certificates: for crlpress(1)';
    END IF;
END
$$;

GRANT SELECT (issuerDN, serialNumber, status, revocationDate, revocationReason,
    expireDate, crlPartitionIndex, updateTime)
    ON CertificateData TO crlpress_reader;
GRANT SELECT (issuerDN, serialNumber, status, revocationDate, revocationReason,
    expireDate, crlPartitionIndex, updateTime)
    ON NoConflictCertificateData TO crlpress_reader;
