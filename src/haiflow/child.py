"""Another Python of this one's kind: the same interpreter, and modules from the very places where this one looks.

``python -m`` puts the current folder first on the path, whatever lies there: beside a user's ``numpy.py`` or
``json.py`` workers and drawing processes would end before they begin. And a folder that this process alone has on its
path (that of the script that it runs) would be missing there.
"""

from __future__ import annotations

import os
import sys


def python(*arguments: str) -> list[str]:
    """The command that runs this interpreter with ``arguments``, nothing put before its path."""
    return [sys.executable, "-P", *arguments]


def surroundings(**more: str) -> dict[str, str]:
    """The environment of such a process: this one's, the path as it is now, and ``more``."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(os.path.abspath(place) for place in sys.path), **more}
