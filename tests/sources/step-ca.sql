-- SPDX-License-Identifier: ISC
--
-- For tests: tables of step-ca that matter, as the PostgreSQL driver of
-- smallstep/nosql makes them.

CREATE TABLE "revoked_x509_certs" (
    nkey bytea CHECK (octet_length(nkey) <= 255),
    nvalue bytea,
    PRIMARY KEY (nkey)
);
CREATE TABLE "x509_certs" (
    nkey bytea CHECK (octet_length(nkey) <= 255),
    nvalue bytea,
    PRIMARY KEY (nkey)
);
