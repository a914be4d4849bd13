-- SPDX-License-Identifier: ISC
--
-- Boulder: for `crlpress init`, the issuers there are, with their revoked rows.
-- $1 is what is known of the issuer's certificate, as JSON: the ID is the first
-- 7 octets of the SHA-1 of its subject.
SELECT issuer_id, sum(revoked)::bigint AS revoked, issuer_id = its_id AS is_it
FROM (SELECT ('x' || left($1::json ->> 'subject_sha1', 14))::bit(56)::bigint
        AS its_id) AS certificate
CROSS JOIN LATERAL (
    SELECT "issuerID" AS issuer_id, 1 AS revoked
    FROM "revokedCertificates"
    UNION ALL
    SELECT its_id, 0) AS issuers
GROUP BY issuer_id, its_id;
