-- SPDX-License-Identifier: ISC
--
-- The index that cfssl.sql wants, built while the CA works: to be run by the
-- owner of the table, outside of a transaction. It has the revoked rows alone.
CREATE INDEX CONCURRENTLY IF NOT EXISTS crlpress_certificates_idx
    ON certificates
    ((lower(encode(authority_key_identifier, 'escape'))), expiry)
    WHERE status = 'revoked';
