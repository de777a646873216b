"""Packs a wheel again with zopfli: recompress.py WHEEL. The files in it stay as they are, byte for byte."""

from __future__ import annotations

import binascii
import struct
import sys
import zipfile
from pathlib import Path

from zopfli.zlib import compress

DEFLATED = 8


def deflated(data: bytes) -> bytes:
    """The data as a bare deflate stream: zlib's header of 2 bytes and its sum of 4 cut off."""
    return bytes(compress(data, numiterations=15)[2:-4])


def recompress(wheel: Path) -> None:
    """Writes the wheel anew, in the order of its entries. Read again, every entry has to be what it was."""
    with zipfile.ZipFile(wheel) as archive:
        entries = [(info, archive.read(info)) for info in archive.infolist()]
    body = bytearray()
    directory = bytearray()
    for info, data in entries:
        packed = deflated(data)
        name = info.filename.encode()
        year, month, day, hour, minute, second = info.date_time
        time = hour << 11 | minute << 5 | second // 2
        date = (year - 1980) << 9 | month << 5 | day
        # Version 2.0, names in UTF-8.
        common = struct.pack("<HHHHHIIIHH", 20, 0x800, DEFLATED, time, date, binascii.crc32(data), len(packed), len(data), len(name), 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 3 << 8 | 20) + common
        directory += struct.pack("<HHHII", 0, 0, 0, info.external_attr, len(body)) + name
        body += b"PK\x03\x04" + common + name + packed
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, len(entries), len(entries), len(directory), len(body), 0)
    packed_wheel = wheel.with_suffix(".packed")
    packed_wheel.write_bytes(bytes(body) + bytes(directory) + end)
    with zipfile.ZipFile(packed_wheel) as archive:
        same = [(info.filename, archive.read(info)) for info in archive.infolist()]
    if same != [(info.filename, data) for info, data in entries]:
        sys.exit(f"{wheel}: packed again, it holds something else")
    packed_wheel.replace(wheel)


if __name__ == "__main__":
    for given in sys.argv[1:]:
        recompress(Path(given))
