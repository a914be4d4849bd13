-- SPDX-License-Identifier: ISC
--
-- The indexes that ejbca.sql wants, built while EJBCA works: to be run by the
-- owner of the tables, outside of a transaction. The first is not needed where
-- EJBCA's own certificatedata_idx6 (issuerDN, status) or certificatedata_idx17
-- (issuerDN, status, crlPartitionIndex) stands.
CREATE INDEX CONCURRENTLY IF NOT EXISTS crlpress_certificatedata_idx
    ON CertificateData (issuerDN, expireDate) WHERE status IN (40, 60);
CREATE INDEX CONCURRENTLY IF NOT EXISTS crlpress_noconflictcertificatedata_idx
    ON NoConflictCertificateData (issuerDN, serialNumber);
