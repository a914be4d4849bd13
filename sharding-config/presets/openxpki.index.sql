-- SPDX-License-Identifier: ISC
--
-- The index that openxpki.sql wants, built while OpenXPKI works: to be run by
-- the owner of the table, outside of a transaction. It has the revoked rows
-- alone. OpenXPKI's own cert_status_index and primary key together do nearly as
-- well: nothing is slow without it.
CREATE INDEX CONCURRENTLY IF NOT EXISTS crlpress_certificate_idx
    ON certificate (issuer_identifier, notafter)
    WHERE status IN ('REVOKED', 'CRL_ISSUANCE_PENDING', 'HOLD');
