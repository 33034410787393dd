"""Changes of a file's text or bytes that know nothing of what it means: what editors, disks and e-mail do to files."""

from __future__ import annotations

import random

PIECES = (
    "\t", "\n", "\r", "\r\n", "\0", "\x1b[2J", "\ufeff", "\u2028", "\ud7ff", "‮", "é", "𝔘", "&a ", "*a",
    "!!python/name:os.system ",
    "<<: ", "? ", "- ", ": ", "{", "}", "[", "]", "'", '"', "|", ">", "#", "%YAML 1.2\n---\n", "---\n", "...\n",
    "@", "`",
    "1e9999999999 mm", "0x7fffffff", "1" * 400, "[" * 200, "{a: " * 100, "a: " * 50,
)  # fmt: skip


def disturbed(text: str, chance: random.Random) -> bytes:
    """A text with lines lost, doubled, indented otherwise, and pieces put in."""
    lines = text.splitlines(keepends=True)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(lines)) if lines else 0
        act = chance.choice(("lose", "double", "indent", "piece", "piece", "piece", "swap", "cut"))
        if not lines:
            break
        if act == "lose":
            del lines[at]
        elif act == "double":
            lines[at:at] = lines[at : at + chance.randint(1, 5)] * chance.choice((1, 1, 20))
        elif act == "indent":
            lines[at] = " " * chance.randint(0, 9) + lines[at].lstrip()
        elif act == "piece":
            spot = chance.randint(0, len(lines[at]))
            lines[at] = lines[at][:spot] + chance.choice(PIECES) + lines[at][spot:]
        elif act == "swap":
            other = chance.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        else:
            lines[at] = lines[at][: chance.randint(0, len(lines[at]))]
    data = "".join(lines).encode("utf-8", "surrogatepass")
    return damaged(data, chance) if chance.random() < 0.3 else data


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Bytes cut short, flipped, zeroed, doubled, or put in from elsewhere."""
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        if not found:
            return bytes(chance.randrange(256) for _ in range(chance.randint(0, 64)))
        at = _spot(len(found), chance)
        size = min(chance.choice((1, 1, 2, 4, 8, 64, 4096)), len(found) - at)
        act = chance.choice(("cut", "flip", "flip", "flip", "zero", "ones", "insert", "remove", "copy"))
        if act == "cut":
            del found[at:]
        elif act == "flip":
            found[at] ^= 1 << chance.randrange(8)
        elif act in ("zero", "ones"):
            found[at : at + size] = (b"\0" if act == "zero" else b"\xff") * size
        elif act == "insert":
            found[at:at] = bytes(chance.randrange(256) for _ in range(size))
        elif act == "remove":
            del found[at : at + size]
        else:
            start = chance.randrange(len(found))
            found[at : at + size] = found[start : start + size]
    return bytes(found)


def _spot(size: int, chance: random.Random) -> int:
    """Headers are hit as often as all the rest."""
    return chance.randrange(min(size, 512) if chance.random() < 0.5 else size)


def inflated(data: bytes, chance: random.Random) -> bytes:
    """A text file of numbers in which some are made huge, negative, or no numbers: headers of 1e9 cells among them."""
    words = data.split(b" ")
    for _ in range(chance.choice((1, 1, 2, 4))):
        found = [k for k in range(min(len(words), 400)) if any(48 <= char <= 57 for char in words[k])]
        if not found:
            return damaged(data, chance)
        at = chance.choice(found)
        digits = b"".join(bytes([char]) for char in words[at] if 48 <= char <= 57)
        new = chance.choice(
            (
                b"1000000000",
                b"99999999999",
                b"-1",
                b"0",
                b"nan",
                b"inf",
                b"1e308",
                b"18446744073709551616",
                b"2147483648",
            )
        )
        words[at] = words[at].replace(digits, new, 1) if digits in words[at] else new
    return b" ".join(words)
