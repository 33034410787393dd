"""Draws in a process of its own: ``python -m haiflow.report.child scene|figures``.

Two reasons. VTK without a working EGL ends its process instead of raising, and the run must go on without pictures.
And the slow imports happen while the solvers still compute. The parent writes one pickled job to standard input and
closes it; the answer is one line of JSON on standard output. A child whose parent is gone reads an empty job and ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from haiflow.child import python, surroundings
from haiflow.report.handed import HANDED
from haiflow.results import Results

REMEDIES = {
    "scene": "3D pictures need pyvista (pip install 'haiflow[viz]') and, without a display, EGL with Mesa "
    "(Debian, Ubuntu: apt install libegl1 libgl1-mesa-dri)",
    "figures": "figures need matplotlib (pip install 'haiflow[viz]')",
}
# glibc's allocator gives memory back to the machine at once: pictures are drawn once, beside a solver that needs room.
THRIFTY = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_MMAP_THRESHOLD_": "65536"}
PATIENCE = 120.0  # s: a child that takes longer is given up


class Child:
    """One drawing process, started at once and given its job later."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._process = subprocess.Popen(
            python("-m", "haiflow.report.child", kind), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._errors, env=THRIFTY | surroundings(),
        )  # fmt: skip

    def give(self, results: Results, folder: Path) -> None:
        """Hands over the job and returns at once."""
        job = pickle.dumps((HANDED[self.kind](results), str(folder)), protocol=pickle.HIGHEST_PROTOCOL)
        threading.Thread(target=self._send, args=(job,), daemon=True).start()

    def _send(self, job: bytes) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        with contextlib.suppress(OSError):  # the child has died: its answer is missing, which says so
            stdin.write(job)
        with contextlib.suppress(OSError):
            stdin.close()

    def answer(self) -> dict[str, Any]:
        """``files`` drawn and ``seconds``, or ``failure`` with its remedy; never raises because a child died."""
        assert self._process.stdout is not None
        watch = threading.Timer(PATIENCE, self._process.kill)
        watch.start()
        try:
            line = self._process.stdout.read()
            code = self._process.wait()
        finally:
            watch.cancel()
            self.stop()
        try:
            return dict(json.loads(line.decode().strip().splitlines()[-1]))
        except (ValueError, IndexError):
            return {"files": [], "failure": f"the drawing process ended ({_ending(code)}); {REMEDIES[self.kind]}"}

    def stop(self) -> None:
        """Ends the child if it still runs and closes what connects to it."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            with contextlib.suppress(OSError, ValueError):
                if pipe is not None:
                    pipe.close()


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def ready_scene() -> Callable[[Results, Path], list[str]]:
    """Loads pyvista and opens a window off screen: where this fails, nothing has been drawn yet."""
    from haiflow.report import cut_pictures, junction_scene, scene

    scene.off_screen()
    plotter = scene.new_plotter()
    plotter.screenshot(return_img=True)
    scene.overlay.font(18)
    return lambda results, folder: [
        *scene.draw(results.network, results.liver, folder, plotter),
        *cut_pictures.draw(results.network, results.liver, folder, plotter),
        *junction_scene.draw(results.junction, folder, plotter),
    ]


def ready_figures() -> Callable[[Results, Path], list[str]]:
    """Loads matplotlib and its fonts."""
    from haiflow.report import figures

    figure, _ = figures.new_figure(1.0)
    figure.text(0.5, 0.5, "0")
    figure.canvas.draw()
    return figures.draw


READY = {"scene": ready_scene, "figures": ready_figures}


def main(kind: str) -> None:
    """The child's side: get ready, wait for the job, draw, answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to handle
    out = os.dup(1)
    os.dup2(2, 1)  # libraries that print must not spoil the answer
    try:
        draw = READY[kind]()
        job = sys.stdin.buffer.read()
        if not job:
            return
        results, folder = pickle.loads(job)
        begun = time.perf_counter()
        answer = {"files": draw(results, Path(folder)), "seconds": time.perf_counter() - begun}
    except Exception as error:
        answer = {"files": [], "failure": f"{type(error).__name__}: {error}; {REMEDIES[kind]}"}
    os.write(out, (json.dumps(answer) + "\n").encode())
    os._exit(0)  # VTK's tear-down off screen may crash, after everything is written


if __name__ == "__main__":
    main(sys.argv[1])
