-- SPDX-License-Identifier: ISC
--
-- XiPKI: for `crlpress init`, the CAs there are, with their revoked rows. Which
-- of several is that of a certificate the role has no right to see.
SELECT CA.NAME AS issuer_id,
    (SELECT count(*) FROM CERT AS c WHERE c.CA_ID = CA.ID AND c.REV <> 0)
        AS revoked,
    NULL::boolean AS is_it
FROM CA;
