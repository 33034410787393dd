"""One set of colours for figures, scene and page: safe for colour-blind readers, the same thing always the same colour.

Qualitative colours: P. Tol, "Colour schemes", SRON/EPS/TN/09-002 (2021), the schemes bright and muted.
"""

from __future__ import annotations

INK, QUIET, GRID, PAPER, GROUND = "#1d2b36", "#51606c", "#e4e9ed", "#ffffff", "#f6f9fa"
DRUG, TWIN = "#0b6a94", "#9aa9b5"
SEVERITY = {"alarm": "#a3221b", "warn": "#8a5300", "ok": "#1c6b3c"}
EVENT = {"refill": "#0b6a94", "bolus": "#6b3fa0"}
FAULTS = ("fault", "leak", "occlusion", "dislodgement", "stall")

# Where drug can be, in the order of its way; where it is lost is warm.
ACCOUNTS = {
    "withdrawn": ("taken out at refill", "#c7d0d8"),
    "reservoir": ("left in the reservoir", "#8fa3b3"),
    "catheter": ("in the catheter", "#5d7484"),
    "leaked": ("leaked, round the line", "#cc3311"),
    "arteries": ("in the arteries", "#ee99aa"),
    "off_target": ("to other organs", "#ee7733"),
    "liver": ("in the liver", "#117755"),
    "body": ("in the body", "#ddaa33"),
    "eliminated": ("eliminated", "#33a0c8"),
    "outflow": ("out of what is modelled", "#bbccee"),
}
DARK_ACCOUNTS = ("catheter", "leaked", "liver")
MISSING = "#ff00ff"  # drug that a ledger cannot find must be seen
SEGMENTS = ("#332288", "#88ccee", "#44aa99", "#117733", "#999933", "#ddcc77", "#cc6677", "#882255")
NUMERALS = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII")  # of the Couinaud segments
LINES = ("#0b6a94", "#cc3311", "#117755", "#aa4499", "#c27c0e", "#555f68", "#88ccee", "#999933")

# Sequential maps as anchors, dark to light and light to dark: the line and arteries (matplotlib's plasma without its
# palest end, CC0) and the liver.
FLAME = ("#3b0a8f", "#6a00a8", "#9c179e", "#c5407e", "#e26561", "#f68d45", "#fcba2c")
LEAF = ("#f0efe2", "#cfe0c3", "#9fccab", "#66b19a", "#36918a", "#146f77", "#0b4d5c")
# Perfusion, dark to light: matplotlib's cividis (CC0), J. R. Nunez et al., PLoS ONE 13 (2018) e0199239.
CIVIDIS = ("#00224e", "#2a3f6d", "#575c6d", "#7d7c78", "#a59c74", "#d2c060", "#fee838")
NO_DRUG = "#a9b3bb"


def event_colour(kind: str, name: str) -> str:
    """Red for a fault, blue and violet for what the clinic does (by kind, else first word), grey for the rest."""
    if kind in FAULTS:
        return SEVERITY["alarm"]
    first = name.replace(":", " ").split()[:1]
    return next((EVENT[word] for word in (kind, *first) if word in EVENT), QUIET)


def in_words(name: str) -> str:
    """A name from the scenario as it is read: ``right_hepatic`` is the right hepatic."""
    return "catheter tip" if name == "tip" else name.replace("_", " ")


def segment_colour(index: int) -> str:
    """The colour of the segment at ``index`` (0 is I); tumours and anything beyond go round again."""
    return SEGMENTS[index % len(SEGMENTS)]


def table(anchors: tuple[str, ...], n: int = 256) -> list[tuple[int, int, int]]:
    """``n`` colours (0 to 255) through the anchors, equally spaced."""
    stops = [tuple(int(anchor[i : i + 2], 16) for i in (1, 3, 5)) for anchor in anchors]
    colours = []
    for step in range(n):
        place = step / (n - 1) * (len(stops) - 1)
        low = min(int(place), len(stops) - 2)
        part = place - low
        red, green, blue = (round(a + (b - a) * part) for a, b in zip(stops[low], stops[low + 1], strict=True))
        colours.append((red, green, blue))
    return colours
