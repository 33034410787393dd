"""Inputs by number: the files that lie in a folder, and the command that is given them."""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from fuzz import decks
from fuzz.centrelines import line_file
from fuzz.grammar import NUMBERS, ODD, Grammar, change
from fuzz.meshes import GRIDS, SKINS, VOLUMES, mesh_file
from fuzz.texts import PIECES, damaged, disturbed
from haiflow.scenario.read import read_text

ROOT = Path(__file__).resolve().parent.parent
SEEDS = (
    "examples/*.yaml",
    "examples/sweeps/*.yaml",
    "tests/cli/scenarios/*.yaml",
    "src/haiflow/library/templates/*.yaml",
)


COMMANDS = (
    "check", "new", "library", "view", "compare", "verify --list", "mesh info", "mesh convert", "mesh build", "schema",
    "doctor", "check --json", "new --template", "run -o out --shard", "x", "",
)  # fmt: skip
WORDS = (
    "s.yaml", "gone.yaml", ".", "..", "/", "", " ",
    "\n", "ü.yaml", "-", "--", "-h", "--x", "--json", "--set", "a=b",
    "0/0", "1/0", "3/2",
    "pumps", "drugs", "floxuridine", "michels-1", "standard", "-o", "out/x/y.vtu", "o.vtu", "--cells",
    "1", "-5", "1e9", "9" * 30, "--edge", "\udcff", "a" * 300, "junction", "s.yaml/x", "baseline",
    "--template", "--force",
    "--list",
)  # fmt: skip


@dataclass(frozen=True)
class Input:
    """A command that is run in a folder of its own."""

    kind: str
    number: int
    command: list[str]


@cache
def grammar() -> Grammar:
    return Grammar()


@cache
def seeds() -> list[tuple[str, dict[str, Any]]]:
    """Sound scenarios: their text and what it says."""
    texts = [path.read_text(encoding="utf-8") for pattern in SEEDS for path in sorted(ROOT.glob(pattern))]
    return [(text, read_text(text, "seed").root) for text in texts]


def _write(path: Path, root: Any) -> None:
    text = yaml.dump(root, Dumper=decks.DUMPER, allow_unicode=True, sort_keys=False)
    path.write_text(text, encoding="utf-8")


def _mutant(chance: random.Random) -> dict[str, Any]:
    root = copy.deepcopy(chance.choice(seeds())[1])
    if chance.random() < 0.05:
        root = {"haiflow": 1, **grammar().value(grammar().whole, chance)}
    gentle = chance.random() < 0.4
    for _ in range(chance.choice((1, 1, 2, 4))):
        change(root, grammar(), chance, gentle)
    return root


def scenario(folder: Path, chance: random.Random) -> list[str]:
    """A changed scenario, checked."""
    _write(folder / "s.yaml", _mutant(chance))
    return ["check", "s.yaml"] + (["--json"] if chance.random() < 0.2 else [])


def text(folder: Path, chance: random.Random) -> list[str]:
    """A scenario whose text is disturbed, checked."""
    given = chance.choice(seeds())[0]
    data = disturbed(given, chance) if chance.random() < 0.7 else damaged(given.encode(), chance)
    (folder / "s.yaml").write_bytes(data)
    return ["check", "s.yaml"]


def setting(folder: Path, chance: random.Random) -> list[str]:
    """A sound scenario with odd ``--set``."""
    root = chance.choice(seeds())[1]
    _write(folder / "s.yaml", root)
    command = ["check", "s.yaml"]
    for _ in range(chance.randint(1, 3)):
        places = [path for path, _ in grammar().places(root, grammar().whole, chance) if path]
        key = ".".join(map(str, chance.choice(places)))
        key = chance.choice((key, key, key, key[:-1], key + ".x", "." + key, "faults.+", "x", ""))
        value = chance.choice((*map(str, ODD[:40]), *NUMBERS, *PIECES)).replace("\0", "")
        command += ["--set", f"{key}={value}"]
    return command


def run(folder: Path, chance: random.Random) -> list[str]:
    """A changed scenario, run for a short time."""
    root = copy.deepcopy(chance.choice([root for _, root in seeds() if "sweep" not in root]))
    pulse = (root.get("run") or {}).get("clock") == "pulse"
    root["run"] = dict(root.get("run") or {}) | {"duration": "3 s" if pulse else chance.choice(("1 h", "6 h", "2 d"))}
    root["run"].pop("output_every", None)
    for key, at in (("schedule", "at"), ("faults", "onset")):
        for index, each in enumerate(root.get(key) or []):
            each[at] = f"{0.3 + 0.2 * index:.1f} {'s' if pulse else 'h'}"
            each.pop("over", None)
    for _ in range(chance.randint(1, 2)):
        change(root, grammar(), chance, gentle=chance.random() < 0.8)
    _write(folder / "s.yaml", root)
    return ["run", "s.yaml", "-o", "out", "--quiet"]


def mesh(folder: Path, chance: random.Random) -> list[str]:
    """A mesh file, inspected or converted."""
    ending = chance.choice(VOLUMES if chance.random() < 0.85 else SKINS)
    wrong = chance.choice(VOLUMES) if chance.random() < 0.05 else ending
    (folder / f"m{wrong}").write_bytes(mesh_file(ending, chance))
    unit = chance.choice(([], [], ["--unit", "mm"]))
    if chance.random() < 0.6:
        label = chance.choice(
            ([], [], ["--label", chance.choice(("1=V", "x=V", "V", "99999999999999999999=I", "1=X"))])
        )
        return ["mesh", "info", f"m{wrong}", *unit, *label] + (["--json"] if chance.random() < 0.3 else [])
    return ["mesh", "convert", f"m{wrong}", f"c{chance.choice((*VOLUMES, '.inp', ''))}", *unit]


def built(folder: Path, chance: random.Random) -> list[str]:
    """A label volume or a surface, meshed."""
    ending = chance.choice((*GRIDS, *GRIDS, *SKINS))
    (folder / f"m{ending}").write_bytes(mesh_file(ending, chance))
    size = chance.choice(
        (
            ["--cells", "1000"],
            ["--cells", "1000"],
            ["--edge", chance.choice(("30 mm", "0 mm", "x", "5", "1e9 m", "0.5 mm"))],
        )
    )
    segments = ["--segments", "standard"] if ending in SKINS else []
    return ["mesh", "build", f"m{ending}", "-o", "b.vtu", *size, *segments, *chance.choice(([], ["--unit", "mm"]))]


def lines(folder: Path, chance: random.Random) -> list[str]:
    """Centre lines, imported."""
    (folder / "c.vtp").write_bytes(line_file(chance))
    said = ([], [], ["--unit", "cm"], ["--inflow", "400 mL/min", "--wave-speed", "8 m/s"], ["--radius-array", "Radius"])
    return ["import", "vmtk", "c.vtp", "-o", "i.yaml", *chance.choice(said)]


def meshed(folder: Path, chance: random.Random) -> list[str]:
    """A scenario whose liver or tip has a mesh file, checked."""
    ending = chance.choice(VOLUMES)
    (folder / f"m{ending}").write_bytes(mesh_file(ending, chance))
    root = copy.deepcopy(chance.choice([root for _, root in seeds() if "arteries" in root and "sweep" not in root]))
    place = chance.choice(
        (f"m{ending}",) * 6 + ("../m.vtu", "/etc/passwd", "/dev/zero", "m.yaml", "", ".", "m\0.vtu", "link.vtu")
    )
    (folder / "link.vtu").symlink_to(chance.choice(("link.vtu", "/dev/zero", f"m{ending}", "gone.vtu")))
    root["liver"] = {"mesh": place, "resolve": chance.choice(("3d", "3d", "segments"))}
    if chance.random() < 0.3:
        root["liver"] |= {"mesh_unit": chance.choice(("mm", "km")), "labels": {"1": "V"}}
    _write(folder / "s.yaml", root)
    return ["check", "s.yaml"]


@cache
def sound_folder() -> Path:
    """An output folder of a short run, made once a process."""
    from haiflow.scenario.load import load
    from haiflow.simulation.run import run_scenario

    short = {"run.duration": "2 h", "schedule": [], "faults": []}
    results = run_scenario(load(ROOT / "examples" / "baseline.yaml", set=short), pictures=False)
    return results.save(
        Path(tempfile.mkdtemp(prefix="sound-", dir=os.environ.get("HAIFLOW_FUZZ_FOLDER", "/tmp"))) / "out"
    )


def output(folder: Path, chance: random.Random) -> list[str]:
    """An output folder with files that are damaged, missing or of another time; compared, viewed or resumed."""
    shutil.copytree(sound_folder(), folder / "a")
    shutil.copytree(sound_folder(), folder / "b")
    files = sorted(path for path in (folder / "b").rglob("*") if path.is_file())
    for path in chance.sample(files, chance.choice((1, 1, 2))):
        _spoil(path, chance)
    act = chance.choice(("compare", "compare html", "html", "resume", "force"))
    if act in ("resume", "force"):
        _write(folder / "s.yaml", {"haiflow": 1, "arteries": {"anatomy": "michels-1"}, "run": {"duration": "1 h"}})
        return ["run", "s.yaml", "-o", "b", f"--{act}", "--quiet"]
    if act == "html":
        return ["view", "b", "--html", "v.html"]
    return ["compare", "a", "b"] + (["--html", "c.html"] if act.endswith("html") else [])


def _spoil(path: Path, chance: random.Random) -> None:
    act = chance.choice(("damage", "damage", "delete", "empty", "json", "folder"))
    if act == "delete":
        path.unlink()
    elif act == "folder":
        path.unlink()
        path.mkdir()
    elif act == "json" and path.suffix == ".json":
        root = json.loads(path.read_text(encoding="utf-8"))
        for _ in range(chance.randint(1, 3)):
            change(root, grammar(), chance)
        path.write_text(json.dumps(root), encoding="utf-8")
    else:
        path.write_bytes(b"" if act == "empty" else damaged(path.read_bytes(), chance))


def words(folder: Path, chance: random.Random) -> list[str]:
    """Command lines that nobody meant."""
    _write(folder / "s.yaml", {"haiflow": 1, "arteries": {"anatomy": "michels-1"}, "run": {"duration": "1 h"}})
    first = chance.choice(COMMANDS).split()
    return [*first, *(chance.choice(WORDS) for _ in range(chance.randint(0, 4)))]


KINDS: dict[str, tuple[int, Callable[[Path, random.Random], list[str]]]] = {
    "scenario": (45, scenario), "text": (15, text), "setting": (6, setting), "run": (8, run), "mesh": (12, mesh),
    "built": (2, built), "meshed": (5, meshed), "lines": (2, lines), "output": (3, output),
    "words": (4, words), "openbf": (2, decks.openbf), "svoned": (2, decks.svoned), "svzerod": (2, decks.svzerod),
}  # fmt: skip
"""Kind -> weight and maker."""
SETS = {"importers": ("lines", "openbf", "svoned", "svzerod")}
"""Kinds that are asked for together."""


def kind_of(number: int, asked: str | None = None) -> str:
    """The kind of input ``number``: the one asked for, one of the set asked for, or any."""
    if asked in KINDS:
        return asked
    among = SETS[asked] if asked is not None else tuple(KINDS)
    return random.Random(f"kind of {number}").choices(among, [KINDS[kind][0] for kind in among])[0]


def make(number: int, folder: Path, kind: str | None = None) -> Input:
    """Input ``number``: its files are written to ``folder``; of a given ``kind`` or set, else of whichever comes."""
    kind = kind_of(number, kind)
    chance = random.Random(number)
    return Input(kind, number, KINDS[kind][1](folder, chance))
