"""A worker process: ``python -m haiflow.batch.worker``. Lines of JSON in, lines of JSON out.

The first line is the recipe, each further one a group of variants. Whatever ends the process, its parent sees the end
of its output; whatever ends the parent, the worker sees the end of its input and ends after the variant that it is at.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from typing import Any

from haiflow.batch.plan import Recipe
from haiflow.batch.variant import Bench


def main() -> None:
    """Work until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to handle, for all of us
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # libraries that print must not spoil the answers
    lock = threading.Lock()

    def say(message: dict[str, Any]) -> None:
        try:
            with lock:
                out.write(json.dumps(message) + "\n")
                out.flush()
        except OSError:
            os._exit(1)  # the parent has gone; what is committed is complete, and a resumed run finds it

    bench = Bench(Recipe.from_json(json.loads(sys.stdin.readline())))
    say({"ready": os.getpid()})
    for line in sys.stdin:
        bench.run(
            json.loads(line), lambda outcome: say({"outcome": outcome.as_json()}), lambda index: say({"begin": index})
        )
        say({"idle": True})


if __name__ == "__main__":
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        main()
