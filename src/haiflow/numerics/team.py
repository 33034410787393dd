"""Threads that work on one compiled loop together: how many, and a pool that keeps them.

A kernel that releases the interpreter is called once by each thread, with its number. The user's wish is read from
``HAIFLOW_THREADS``, else ``OMP_NUM_THREADS`` (the workers of a batch set it to 1), else all processors that this process may
use.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TypeVar

T = TypeVar("T")
WISHES = ("HAIFLOW_THREADS", "OMP_NUM_THREADS")


def allowed() -> int:
    """Threads that the user, or else the machine, grants; at least one."""
    for name in WISHES:
        first = os.environ.get(name, "").partition(",")[0].strip()
        if first.isdecimal() and int(first) > 0:
            return int(first)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def together(work: Callable[[int], T], threads: int) -> list[T]:
    """``work(0)``, ... ``work(threads - 1)`` at the same time, the first by the caller; returns what each gave."""
    if threads == 1:
        return [work(0)]
    others: list[Future[T]] = [_pool(os.getpid(), threads - 1).submit(work, k) for k in range(1, threads)]
    return [work(0), *(other.result() for other in others)]


@cache
def _pool(process: int, size: int) -> ThreadPoolExecutor:
    """One pool a process (a forked child has none of its parent's threads) and size."""
    return ThreadPoolExecutor(size, thread_name_prefix=f"haiflow-{process}")
