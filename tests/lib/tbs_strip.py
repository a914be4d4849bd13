# SPDX-License-Identifier: ISC
"""What whoever carries a set could make of it: tbs_strip.py DIR SHARD leaves
one entry in SHARD's TBSCertList, and has the request say that nothing was
published before. The request's closing line is the caller's."""
import hashlib
import os
import re
import sys


def element(der, at):
    """Where the content of the element at `at` begins and ends."""
    length, begin = der[at + 1], at + 2
    if length & 0x80:
        begin += length & 0x7F
        length = int.from_bytes(der[at + 2 : begin], "big")
    return begin, begin + length


def sequence(content):
    """A SEQUENCE of this content."""
    size = len(content)
    if size < 128:
        return bytes([0x30, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x30, 0x80 | len(octets)]) + octets + content


def stripped(der):
    """The TBSCertList with the first of its entries alone."""
    at, end = element(der, 0)
    parts = []
    while at < end:
        _, after = element(der, at)
        parts.append(der[at:after])
        at = after
    # version, signature, issuer, thisUpdate, nextUpdate, entries, extensions
    begin, _ = element(parts[5], 0)
    _, after = element(parts[5], begin)
    parts[5] = sequence(parts[5][begin:after])
    return sequence(b"".join(parts))


def main(directory, shard):
    """Writes both files anew."""
    path = os.path.join(directory, shard + ".tbs")
    with open(path, "rb") as file:
        tbs = stripped(file.read())
    with open(path, "wb") as file:
        file.write(tbs)
    os.unlink(os.path.join(directory, shard + ".previous.crl"))
    path = os.path.join(directory, "request.txt")
    with open(path, encoding="ascii") as file:
        text = file.read()
    line = "# shard " + shard + " entries=1 added=1 removed=0 settled=- "
    line += "previous=- previous-sha256=- size=%d url=" % len(tbs)
    text = re.sub("# shard " + shard + " .* url=", line, text)
    text = re.sub(
        r"[0-9a-f]{64}  " + shard + ".tbs",
        hashlib.sha256(tbs).hexdigest() + "  " + shard + ".tbs",
        text,
    )
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


main(*sys.argv[1:])
