"""Small valid files of the types that may be uploaded; by default each has unique bytes."""

import secrets
import struct
import zlib


def png(own=None):
    own = secrets.token_bytes(16) if own is None else own

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
            + chunk(b"tEXt", b"Comment\0" + own.hex().encode()) + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + chunk(b"IEND", b""))


def pdf(own=None):
    own = secrets.token_hex(16) if own is None else own
    out, offsets = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n%" + own.encode() + b"\n", []
    for number, body in enumerate((b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
                                   b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"), 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + b"xref\n0 4\n0000000000 65535 f \n" + table + b"trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(out)


def mp4(size=300, own=None):
    """A video of exactly `size` bytes; its media data is random bytes and zeros."""
    def box(kind, content):
        return struct.pack(">I", 8 + len(content)) + kind + content
    head = box(b"ftyp", b"isom\0\0\2\0isomiso2mp41") + box(b"moov", box(b"mvhd", bytes(100)) + box(b"trak", bytes(8)))
    own = secrets.token_bytes(32) if own is None else own
    data = own.ljust(size - len(head) - 8, b"\0")
    made = head + box(b"mdat", data)
    assert len(made) == size
    return made
