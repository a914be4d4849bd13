-- SPDX-License-Identifier: ISC
--
-- django-ca: for `crlpress init`, the authorities there are, with the revoked
-- certificates of each. $1 is what is known of the issuer's certificate, as
-- JSON. An authority that is not in the database has no certificates there. Of
-- one that is it cannot be told whether others are the same CA with an older
-- certificate: those have to be added by hand.
SELECT ca.serial,
    (SELECT count(*) FROM django_ca_certificate AS issued
        WHERE issued.ca_id = ca.id AND issued.revoked)
    + (SELECT count(*) FROM django_ca_certificateauthority AS issued
        WHERE issued.parent_id = ca.id AND issued.revoked) AS revoked,
    CASE WHEN its.is_it THEN true WHEN NOT bool_or(its.is_it) OVER () THEN false
        END AS is_it
FROM django_ca_certificateauthority AS ca
CROSS JOIN LATERAL (
    SELECT ca.serial = ltrim(upper($1::json ->> 'serial'), '0') AS is_it
    ) AS its;
