"""Pictures and page of a run, overlapped with the rest: what simulation hands to :class:`haiflow.results.Results`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from haiflow.report.child import Child
from haiflow.results import Results

NAMES = {"scene": "3D pictures", "figures": "figures"}


class Presenter:
    """Draws one run. Make it early: two processes then get ready (about a second) while the solvers compute.

    ``pictures=False`` writes the page without any picture. Where something cannot be drawn the run goes on and
    :meth:`finish` says why and what would help.
    """

    def __init__(self, pictures: bool = True, early: bool = True) -> None:
        self.pictures = pictures
        self._children: dict[str, Child] = {}
        if pictures and early:
            self._start()

    def _start(self) -> None:
        for kind in NAMES:
            if kind not in self._children:
                self._children[kind] = Child(kind)

    def begin(self, results: Results, folder: Path) -> None:
        """Hands the record to the drawing processes; returns at once."""
        if not self.pictures:
            return
        self._start()
        for child in self._children.values():
            child.give(results, folder / "figures")

    def finish(self, results: Results, folder: Path) -> list[str]:
        """Waits for the pictures, writes report.html, and returns notes on what could not be drawn."""
        from haiflow.report.page import pack_scene, write

        scene = pack_scene(results)
        notes, drawing = [], {}
        for kind, child in self._children.items():
            waited = time.perf_counter()
            answer = child.answer()
            drawing[f"{kind}_s"] = answer.get("seconds", 0.0)
            drawing[f"{kind}_wait_s"] = time.perf_counter() - waited
            if "failure" in answer:
                notes.append(f"no {NAMES[kind]}: {answer['failure']}")
        self._children.clear()
        begun = time.perf_counter()
        write(results, folder, scene, notes)
        drawing["page_s"] = time.perf_counter() - begun
        results.provenance["drawing"] = drawing
        return notes

    def abandon(self) -> None:
        """Ends the drawing processes; safe to call at any time, more than once."""
        for child in self._children.values():
            child.stop()
        self._children.clear()

    def scene(self, results: Results) -> Any:
        """The 3D scene as a pyvista Plotter (``.show()`` opens it)."""
        from haiflow.report.view import plotter

        return plotter(results)
