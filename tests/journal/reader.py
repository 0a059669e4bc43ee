"""reader - reads an archive by docs/internals.md, "The archive's format",
alone: none of fallbackmx's code. records(DIR) yields each record whole or
raises Damaged. As a program: a line "ID TYPE SHA256 BYTES" for each."""

import ctypes
import hashlib
import os
import struct
import sys

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
ZSTD = ctypes.CDLL("libzstd.so.1")
ZSTD.ZSTD_decompress.restype = ctypes.c_size_t
ZSTD.ZSTD_decompress.argtypes = [ctypes.c_void_p, ctypes.c_size_t,
                                 ctypes.c_char_p, ctypes.c_size_t]
TABLE = [0] * 256
for i in range(256):
    TABLE[i] = i
    for _ in range(8):
        TABLE[i] = TABLE[i] >> 1 ^ (0x82f63b78 if TABLE[i] & 1 else 0)


class Damaged(Exception):
    pass


def crc(data, c=0xffffffff):
    for b in data:
        c = c >> 8 ^ TABLE[(c ^ b) & 255]
    return c ^ 0xffffffff


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def need(ok, what):
    if not ok:
        raise Damaged(what)


def unpack(packing, stored, raw_n):
    if packing == 0:
        return stored
    out = ctypes.create_string_buffer(raw_n + 1)
    n = ZSTD.ZSTD_decompress(out, raw_n + 1, stored, len(stored))
    return out.raw[:n] if n <= raw_n else b""


def identity(segment, offset):
    n = segment << 25 | offset // 8
    return "".join(DIGITS[n >> 5 * i & 31] for i in range(11, -1, -1))


def segment(data, number, chain, end):
    """The records of one segment; the chain behind it."""
    need(data[:8] == b"FMXSEG\r\n" and crc(data[:108]) ==
         struct.unpack_from("<I", data, 108)[0], "segment header")
    need(struct.unpack_from("<HHI", data, 8) == (1, 112, number), "number")
    need(chain is None or data[48:80] == chain, "previous chain")
    chain, at = sha(data[:112]), 112
    while at < end:
        h = data[at:at + 224]
        need(len(h) == 224 and h[:4] == b"FMXR" and crc(h[:220]) ==
             struct.unpack_from("<I", h, 220)[0], "record header")
        version, kind, state, packing, length, cipher, key_id, own, first, \
            offset, first_at, durable, time, meta_n, stored_n, raw_n = \
            struct.unpack_from("<BBBBHHIIIQQQqQQQ", h, 4)
        need((version, length, own, offset) == (1, 224, number, at), "place")
        meta = data[at + 224:at + 224 + meta_n]
        stored = data[at + 224 + meta_n:at + 224 + meta_n + stored_n]
        need(crc(meta + stored) == struct.unpack_from("<I", h, 216)[0], "data")
        chain = sha(chain, h[:6], b"\0", h[7:176])
        need(chain == h[176:208] and sha(meta) == h[112:144], "chain")
        raw = None if state else unpack(packing, stored, raw_n)
        need(kind == 2 or state or sha(raw) == h[144:176], "payload")
        yield (identity(number, at), kind, state, time, meta.decode(), raw,
               h[144:176].hex(), raw_n, identity(first, first_at))
        at += (224 + meta_n + stored_n + 7) // 8 * 8
    return chain


def records(where):
    chain = None
    names = sorted(n for n in os.listdir(where) if n.endswith(".segment"))
    files = [open(os.path.join(where, n), "rb").read() for n in names]
    for i, data in enumerate(files):
        last = i + 1 == len(files)
        end = len(data) if last else struct.unpack_from(
            "<Q", files[i + 1], 40)[0]
        try:
            chain = yield from segment(data, int(names[i][:10]), chain, end)
        except Damaged:
            if not last:
                raise


if __name__ == "__main__":
    for r in records(sys.argv[1]):
        print(r[0], r[1], r[6], r[7])
