-- SPDX-License-Identifier: ISC
--
-- The index that xipki.sql wants, built while XiPKI works: to be run by the
-- owner of the table, outside of a transaction. It has the revoked rows alone.
CREATE INDEX CONCURRENTLY IF NOT EXISTS crlpress_cert_idx
    ON CERT (CA_ID, NAFTER) WHERE REV <> 0;
