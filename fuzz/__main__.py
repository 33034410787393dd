"""``python -m fuzz [COUNT] [--from N] [--kind KIND]``, or ``--only N`` for one input and all that it said."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from fuzz.inputs import KINDS, SETS
from fuzz.pool import run
from fuzz.trial import Outcome, attempt


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=20_000, help="how many inputs")
    parser.add_argument("--from", dest="start", type=int, default=0, metavar="N", help="the first one's number")
    parser.add_argument("--kind", choices=[*KINDS, *SETS], help="of one kind, or one set of kinds, only")
    parser.add_argument("--only", type=int, metavar="N", help="one input, in this process, its folder kept")
    parser.add_argument("--log", type=Path, metavar="FILE", help="findings, a line of JSON each")
    given = parser.parse_args()
    if given.only is not None:
        return _show(given.only, given.kind)
    begun, found, codes, slowest = time.monotonic(), [], Counter[str](), Outcome(0, "", [])
    for number, outcome in enumerate(run(range(given.start, given.start + given.count), given.kind), 1):
        codes[f"{outcome.kind} {outcome.code}"] += 1
        slowest = max(slowest, outcome, key=lambda each: each.seconds - (each.estimate or 0.0))
        if outcome.faults:
            found.append(outcome)
            print(f"input {outcome.number} ({outcome.kind}): {'; '.join(outcome.faults)}", flush=True)
            if given.log is not None:
                with given.log.open("a", encoding="utf-8") as log:
                    log.write(json.dumps(vars(outcome)) + "\n")
        if number % 500 == 0:
            print(
                f"{number} inputs, {len(found)} findings, {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True
            )
    print(f"{given.count} inputs from {given.start}: {len(found)} findings, {time.monotonic() - begun:.0f} s")
    print("kind and exit code: " + ", ".join(f"{key}: {codes[key]}" for key in sorted(codes)))
    print(f"slowest beyond its estimate: input {slowest.number} ({slowest.kind}), {slowest.seconds:.1f} s of CPU")
    return 1 if found else 0


def _show(number: int, kind: str | None) -> int:
    folder = Path(tempfile.mkdtemp(prefix=f"haiflow-fuzz-{number}-"))
    outcome = attempt(number, kind, keep=folder)
    print(f"input {number} ({outcome.kind}), in {folder}: haiflow {' '.join(outcome.command)}")
    print(outcome.said)
    print(f"exit code {outcome.code}, {outcome.seconds:.2f} s of CPU, {outcome.memory_mb:.0f} MB more")
    print("; ".join(outcome.faults) or "nothing to find fault with")
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
