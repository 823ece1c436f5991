#!/usr/bin/env python3
"""Renders a brand's app-icon.svg to the PNG, ICO and ICNS files that packages want, in its folder `icons`:

    python3 brand/icons.py NAME

Needs rsvg-convert, of Debian's librsvg2-bin."""

import pathlib
import struct
import subprocess
import sys

BRAND = pathlib.Path(__file__).parent / sys.argv[1]
ICONS = BRAND / "icons"


def png(size: int) -> bytes:
    command = ["rsvg-convert", "-w", str(size), "-h", str(size), str(BRAND / "app-icon.svg")]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def ico(sizes: list[int]) -> bytes:
    """Pictures as PNG, which Windows reads since Vista; the directory first, then the pictures."""
    pictures = [png(size) for size in sizes]
    head = struct.pack("<HHH", 0, 1, len(sizes))
    at = len(head) + 16 * len(sizes)
    for size, picture in zip(sizes, pictures):
        head += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(picture), at)
        at += len(picture)
    return head + b"".join(pictures)


def icns(kinds: dict[bytes, int]) -> bytes:
    """Apple's container: four letters and a length before each picture, and before the whole."""
    body = b""
    for kind, size in kinds.items():
        picture = png(size)
        body += kind + struct.pack(">I", 8 + len(picture)) + picture
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


ICONS.mkdir(exist_ok=True)
for name, size in {"32x32": 32, "128x128": 128, "128x128@2x": 256, "icon": 512}.items():
    (ICONS / f"{name}.png").write_bytes(png(size))
(ICONS / "icon.ico").write_bytes(ico([32, 16, 24, 48, 64, 256]))
(ICONS / "icon.icns").write_bytes(
    icns({b"icp4": 16, b"icp5": 32, b"ic11": 32, b"ic12": 64, b"ic07": 128, b"ic13": 256, b"ic08": 256,
          b"ic14": 512, b"ic09": 512, b"ic10": 1024})
)
