#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""CRLs of an issuer that are none to take rows from, each for one reason.

source_crls.py CA DIRECTORY: CA has issuer.pem and issuer.key, root.pem and
root.key. Writes NAME.crl for each, and good.crl, which the others are but for
what their names say.
"""

import datetime
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

ca, out = Path(sys.argv[1]), Path(sys.argv[2])
NOW = datetime.datetime.utcnow().replace(microsecond=0)
DAY = datetime.timedelta(days=1)


def authority(name):
    certificate = x509.load_pem_x509_certificate(
        (ca / (name + ".pem")).read_bytes())
    key = serialization.load_pem_private_key(
        (ca / (name + ".key")).read_bytes(), None)
    return certificate, key


ISSUER, KEY = authority("issuer")
ROOT, ROOT_KEY = authority("root")


def entry(serial, *extensions, date=NOW - DAY):
    built = x509.RevokedCertificateBuilder().serial_number(
        serial).revocation_date(date)
    for value, critical in extensions:
        built = built.add_extension(value, critical)
    return built.build()


def point(**values):
    names = dict(full_name=None, relative_name=None,
                 only_contains_user_certs=False,
                 only_contains_ca_certs=False, only_some_reasons=None,
                 indirect_crl=False, only_contains_attribute_certs=False)
    names.update(values)
    return x509.IssuingDistributionPoint(**names), True


def url(text):
    return x509.UniformResourceIdentifier(text)


def other(oid):
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), b"\5\0")


def crl(name, *extensions, entries=None, number=7, this=NOW - DAY / 24,
        following=NOW + 7 * DAY, issuer=ISSUER.subject, key=KEY):
    built = x509.CertificateRevocationListBuilder().issuer_name(
        issuer).last_update(this).next_update(following)
    if number is not None:
        built = built.add_extension(x509.CRLNumber(number), False)
    for value, critical in extensions:
        built = built.add_extension(value, critical)
    for one in entries or [entry(4096), entry(4097)]:
        built = built.add_revoked_certificate(one)
    der = built.sign(key, hashes.SHA256()).public_bytes(
        serialization.Encoding.DER)
    (out / (name + ".crl")).write_bytes(der)
    return der


good = crl("good")
crl("numberless", number=None)
crl("newer", number=8, this=NOW - DAY / 48)
crl("older-number", number=6)
crl("older-time", this=NOW - DAY / 2)
crl("expired", following=NOW - DAY / 48)
crl("future", this=NOW + DAY / 2)
crl("fewer", number=9, entries=[entry(4097)])
crl("delta", (x509.DeltaCRLIndicator(3), True))
crl("users", point(only_contains_user_certs=True))
crl("cas", point(only_contains_ca_certs=True))
crl("indirect", point(indirect_crl=True))
crl("reasons", point(only_some_reasons=frozenset(
    [x509.ReasonFlags.key_compromise])))
crl("point", point(full_name=[url("http://crl.example.com/1.crl")]))
crl("critical", (other("1.2.3.4"), True))
crl("harmless", (other("1.2.3.4"), False),
    (x509.FreshestCRL([x509.DistributionPoint(
        [url("http://crl.example.com/delta.crl")], None, None, None)]),
     False))
crl("entry-issuer", entries=[entry(4096, (x509.CertificateIssuer(
    [x509.DirectoryName(ROOT.subject)]), True))])
crl("entry-critical", entries=[entry(4096, (other("1.2.3.4"), True))])
crl("invalidity", entries=[entry(4096, (x509.InvalidityDate(NOW - 9 * DAY),
                                        False)), entry(4097)])
crl("root", issuer=ROOT.subject, key=ROOT_KEY)
crl("forged", key=ROOT_KEY)
(out / "truncated.crl").write_bytes(good[:-9])
(out / "trailing.crl").write_bytes(good + b"\0")
(out / "flipped.crl").write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
(out / "zeros.crl").write_bytes(bytes(4096))
(out / "empty.crl").write_bytes(b"")
