"""What a file's header claims, held against the file's size before a reader takes memory for it.

VTK ends the process (std::bad_alloc) and gmsh fills the memory where a header counts more than there is. Each thing
that a header counts takes a byte of the file at least, packed or not.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path

from haiflow.errors import InputError

LONGEST_LINE = 400
XML = re.compile(rb"""\bNumberOf([A-Z][A-Za-z]{1,20})\s*=\s*["']\s*([+-]?\d{1,40})""")
LEGACY = re.compile(
    rb"(?im)^[ \t]*(POINTS|VERTICES|LINES|POLYGONS|TRIANGLE_STRIPS|CELLS|CELL_TYPES|POINT_DATA|CELL_DATA|"
    rb"FIELD[ \t]+\S+)[ \t]+([+-]?\d{1,40})(?:[ \t]+([+-]?\d{1,40}))?"
)
ARRAY = re.compile(  # of a legacy file: name, components, tuples, type
    rb"(?im)^[ \t]*(\S{1,200})[ \t]+([+-]?\d{1,40})[ \t]+([+-]?\d{1,40})[ \t]+"
    rb"(bit|(?:unsigned_)?(?:char|short|int|long)|vtktypeu?int64|vtkidtype|float|double|string)[ \t]*\r?$"
)
SECTIONS = (b"Nodes", b"Elements", b"Entities", b"PhysicalNames", b"NOD", b"ELM")  # the last two: of version 1
UTF_16 = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")  # how such a file of XML begins
WHOLE = re.compile(rb"[+-]?\d{1,40}")
Claim = tuple[str, int]


def refuse_claims(path: Path, place: str) -> None:
    """Raises :class:`InputError` with ``place`` where ``path`` (.vtp, .vtk, .msh) counts more than it has bytes."""
    size = path.stat().st_size
    reader = {".vtp": _of_xml, ".vtk": _of_legacy, ".msh": _of_gmsh}.get(path.suffix.lower())
    if reader is None or not size:
        return
    with path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as data:
        wrong = next(((name, count) for name, count in reader(data) if not 0 <= count <= size), None)
    if wrong is not None:
        name, count = wrong
        value = f"{count} {name}" if place == str(path) else f"{path}: {count} {name}"
        rule = f"a header counts what is there, and the file has {size} bytes" if count > 0 else "a count is 0 or more"
        raise InputError(place, value, rule, "the file is damaged or cut short: export it again")


def _of_xml(data: mmap | bytes) -> Iterator[Claim]:
    if data[:2] in UTF_16:  # its ASCII is what is left without the zeros, whichever byte comes first
        data = data[:].replace(b"\0", b"")
    for found in XML.finditer(data):
        yield found[1].decode().lower(), int(found[2])


def _of_legacy(data: mmap | bytes) -> Iterator[Claim]:
    for found in LEGACY.finditer(data):
        name = found[1].split()[0].decode().lower()
        yield from ((name, int(number)) for number in found.groups()[1:] if number is not None)
    for found in ARRAY.finditer(data):
        count = int(found[2]) * int(found[3])
        yield f"values of {found[1].decode(errors='replace')}", count // 8 if found[4].lower() == b"bit" else count


def _of_gmsh(data: mmap | bytes) -> Iterator[Claim]:
    """Counts of the sections of versions 1 to 4; the least and largest tag of 4.1 are numbers, not counts."""
    start = max(data.find(b"$MeshFormat"), 0)
    words = [*data[start : start + 64].split(), b"", b"", b""]
    new, binary = words[1].startswith(b"4"), words[2] == b"1"
    one = data.find(b"\n", data.find(b"\n", start) + 1) + 1  # a binary file shows its byte order by a 1
    order = ">" if data[one : one + 4] == b"\0\0\0\1" else "<"
    for name in SECTIONS:
        many = (4 if name == b"Entities" else 2) if new and name != b"PhysicalNames" else 1
        for found in _lines_after(b"$" + name, data):
            if binary and new and name != b"PhysicalNames":
                packed = data[found : found + 8 * many]
                counts = list(struct.unpack(f"{order}{many}Q", packed)) if len(packed) == 8 * many else []
            else:
                line = data[found : found + LONGEST_LINE].split(b"\n")[0].split()[:many]
                counts = [int(word) for word in line if WHOLE.fullmatch(word)]
            yield from ((name.decode().lower(), count) for count in counts)


def _lines_after(word: bytes, data: mmap | bytes) -> Iterator[int]:
    """Where the line begins that follows a line of ``word`` alone."""
    at = data.find(word)
    while at >= 0:
        end = data.find(b"\n", at)
        if end < 0:
            return
        if (at == 0 or data[at - 1 : at] in b"\r\n") and data[at:end].strip() == word:
            yield end + 1
        at = data.find(word, at + 1)
