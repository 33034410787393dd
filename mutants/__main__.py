"""``python -m mutants [NAME ...] [-n PROCESSES] [--table FILE] [--list]``; see the head of the package."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from mutants.defects import DEFECTS, Defect
from mutants.trial import FOLDERS, Found, Tree


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of a defect; all where none is named")
    parser.add_argument("-n", type=int, default=2, dest="processes", help="processes of the tests")
    parser.add_argument("--table", type=Path, metavar="FILE", help="what was found, a row of a Markdown table each")
    parser.add_argument("--list", action="store_true", help="the defects, and nothing is run")
    parser.add_argument("--no-control", action="store_true", help="do not first see the sound tree pass")
    parser.add_argument("--near", action="store_true", help="try the nearest tests alone: a first look, in minutes")
    given = parser.parse_args()
    unknown = set(given.names) - {defect.name for defect in DEFECTS}
    if unknown:
        parser.error(f"no defect {', '.join(sorted(unknown))}: see --list")
    chosen = [defect for defect in DEFECTS if defect.name in given.names or not given.names]
    if given.list:
        for defect in chosen:
            print(f"{defect.name:24} {defect.file}\n  - {defect.old.strip()}\n  + {defect.new.strip()}")
        return 0
    with tempfile.TemporaryDirectory(prefix="haiflow-mutants-") as folder:
        tree = Tree(Path(folder), given.processes)
        wrong = None if given.no_control else tree.first_failure(FOLDERS["src"])
        if wrong is not None:
            print(f"the sound tree fails: {wrong}; nothing can be said of defects")
            return 2
        return _report([_tried(tree, defect, given.near, given.table) for defect in chosen])


def _tried(tree: Tree, defect: Defect, near: bool, table: Path | None) -> Found:
    found = tree.look_for(defect, near)
    print(f"{found.name:24} {found.seconds:6.0f} s  {found.by or 'SURVIVED'}", flush=True)
    if table is not None:
        with table.open("a", encoding="utf-8") as rows:
            rows.write(f"| {found.name} | `{defect.file}` | {found.by or '**survived**'} |\n")
    return found


def _report(found: list[Found]) -> int:
    survived = [each.name for each in found if each.by is None]
    print(
        f"{len(found) - len(survived)} of {len(found)} caught" + (f"; not: {', '.join(survived)}" if survived else "")
    )
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
