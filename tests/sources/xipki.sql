-- SPDX-License-Identifier: ISC
--
-- For tests: the two tables of XiPKI that matter, with the names, types and
-- constraints of its schema versions 7 and 8 on PostgreSQL.

CREATE TABLE CA (
    ID smallint NOT NULL,
    NAME varchar(45) NOT NULL,
    STATUS varchar(10) NOT NULL,
    NEXT_CRLNO bigint,
    CRL_SIGNER_NAME varchar(45),
    SUBJECT varchar(350) NOT NULL,
    REV_INFO varchar(200),
    CERT varchar(6000) NOT NULL,
    SIGNER_TYPE varchar(100) NOT NULL,
    SIGNER_CONF text NOT NULL,
    CERTCHAIN text,
    CONF text NOT NULL,
    CONSTRAINT "CA_pkey" PRIMARY KEY (ID),
    CONSTRAINT CONST_CA_NAME UNIQUE (NAME)
);

CREATE TABLE CERT (
    ID bigint NOT NULL,
    CA_ID smallint NOT NULL,
    SN varchar(40) NOT NULL,
    PID smallint NOT NULL,
    RID smallint,
    FP_S bigint NOT NULL,
    FP_SAN bigint,
    FP_RS bigint,
    LUPDATE bigint NOT NULL,
    NBEFORE bigint NOT NULL,
    NAFTER bigint NOT NULL,
    REV smallint NOT NULL,
    RR smallint,
    RT bigint,
    RIT bigint,
    EE smallint NOT NULL,
    SUBJECT varchar(350) NOT NULL,
    TID varchar(43),
    CRL_SCOPE smallint NOT NULL,
    SHA1 char(28) NOT NULL,
    REQ_SUBJECT varchar(350),
    CERT varchar(6000) NOT NULL,
    PRIVATE_KEY varchar(6000),
    CONSTRAINT "CERT_pkey" PRIMARY KEY (ID),
    CONSTRAINT CONST_CA_SN UNIQUE (CA_ID, SN),
    CONSTRAINT FK_CERT_CA1 FOREIGN KEY (CA_ID) REFERENCES CA (ID)
);
CREATE INDEX IDX_CA_FPS ON CERT (CA_ID, FP_S, FP_SAN);
