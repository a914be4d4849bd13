-- SPDX-License-Identifier: ISC
--
-- CFSSL: for `crlpress init`, the issuers there are, with their revoked rows.
-- $1 is what is known of the issuer's certificate, as JSON.
SELECT issuer_id, sum(revoked)::bigint AS revoked,
    issuer_id = $1::json ->> 'key_id' AS is_it
FROM (
    SELECT lower(encode(authority_key_identifier, 'escape')) AS issuer_id,
        1 AS revoked
    FROM certificates
    WHERE status = 'revoked'
    UNION ALL
    SELECT $1::json ->> 'key_id', 0) AS issuers
GROUP BY issuer_id;
