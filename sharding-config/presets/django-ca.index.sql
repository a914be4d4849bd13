-- SPDX-License-Identifier: ISC
--
-- The index that django-ca.sql wants, built while the CA works: to be run by
-- the owner of the table, outside of a transaction. It has the revoked rows
-- alone.
CREATE INDEX CONCURRENTLY IF NOT EXISTS crlpress_certificate_idx
    ON django_ca_certificate (ca_id, not_after) WHERE revoked;
