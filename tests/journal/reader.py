"""reader - docs/internals.md, "The archive's format", and no code of ours.
records(DIR): (id, type, state, time, metadata, message, hash, length)."""

import ctypes
import hashlib
import os
import struct

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
ZSTD = ctypes.CDLL("libzstd.so.1")
TABLE = list(range(256))
for _ in range(8):
    TABLE = [c >> 1 ^ (c & 1) * 0x82f63b78 for c in TABLE]


def crc(data):
    c = 0xffffffff
    for b in data:
        c = c >> 8 ^ TABLE[(c ^ b) & 255]
    return struct.pack("<I", c ^ 0xffffffff)


def sha(data):
    return hashlib.sha256(data).digest()


def need(found, expected):
    if found != expected:
        raise ValueError("%r instead of %r" % (found, expected))


def unpack(packing, stored, n):
    if packing == 0:
        return stored
    out, size = ctypes.create_string_buffer(n + 1), ctypes.c_size_t
    n = ZSTD.ZSTD_decompress(out, size(n), stored, size(len(stored)))
    return out.raw[:n]


def segment(data, number, before, end):
    need(data[:16], struct.pack("<8sHHI", b"FMXSEG\r\n", 1, 112, number))
    before = before or data[48:80]
    need(data[48:80] + data[108:112], before + crc(data[:108]))
    chain, at = sha(data[:112]), 112
    while at < end:
        head = data[at:at + 224]
        (magic, version, kind, state, packing, length, cipher, own, place, time,
         meta_n, stored_n, n) = struct.unpack("<4s4BHH4xI4xQ16xq3Q144x", head)
        need((magic, version, length, cipher), (b"FMXR", 1, 224, 0))
        need((own, place, head[220:]), (number, at, crc(head[:220])))
        middle = at + 224 + meta_n
        meta, stored = data[at + 224:middle], data[middle:middle + stored_n]
        chain = sha(chain + head[:6] + b"\0" + head[7:176])
        need(head[112:144] + head[176:208], sha(meta) + chain)
        need(head[216:220], crc(meta + stored))
        raw = None if kind == 2 or state else unpack(packing, stored, n)
        need(head[144:176], head[144:176] if raw is None else sha(raw))
        digits = [(number << 25 | at >> 3) >> i & 31 for i in range(55, -1, -5)]
        yield ("".join(DIGITS[d] for d in digits), kind, state, time,
               meta.decode(), raw, head[144:176].hex(), n)
        at = (middle + stored_n + 7) // 8 * 8
    return chain


def records(where):
    names = sorted(n for n in os.listdir(where) if n.endswith(".segment"))
    files = [open(os.path.join(where, n), "rb").read() for n in names]
    chain, ends = None, [struct.unpack_from("<Q", f, 40)[0] for f in files[1:]]
    for name, data, end in zip(names, files, ends + [len(files[-1])]):
        try:
            chain = yield from segment(data, int(name[:10]), chain, end)
        except (ValueError, struct.error):
            if name != names[-1]:       # that one ends where its records do
                raise
