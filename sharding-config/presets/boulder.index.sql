-- SPDX-License-Identifier: ISC
--
-- The index that boulder.sql wants is one that Boulder's own migration makes.
-- This is for a port that left it out: to be run by the owner of the table,
-- outside of a transaction.
CREATE INDEX CONCURRENTLY IF NOT EXISTS "issuerID_shardIdx_notAfterHour_idx"
    ON "revokedCertificates" ("issuerID", "shardIdx", "notAfterHour");
