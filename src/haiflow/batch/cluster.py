"""The variants on a dask cluster: one that runs already (its address), or a local one ("local").

The workers write into the batch's folder themselves, so it must lie where all of them see it under the same path. The
client holds a few groups in flight and no results.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from haiflow.batch.executors import LOST, THREADS, TRIES, Groups
from haiflow.batch.plan import Recipe
from haiflow.batch.variant import Outcome, run_group
from haiflow.errors import BatchStopped, InputError

AHEAD = 2  # groups in flight for each thread of a worker
PATIENCE = 30.0  # s to reach a scheduler, and to wait for the first worker
LOCAL = "local"
NO_DASK = "a cluster needs dask.distributed"


class Cluster:
    """A dask cluster at ``address``; with "local", one of ``workers`` processes that ends with the batch."""

    def __init__(self, recipe: Recipe, address: str, workers: int) -> None:
        import distributed

        _silence()
        self.recipe = json.dumps(recipe.as_json())
        self.distributed = distributed
        self.cluster: Any = None
        if address == LOCAL:
            self.cluster = distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=0,
                silence_logs=logging.CRITICAL, env=THREADS,
            )  # fmt: skip
        try:
            self.client = distributed.Client(self.cluster or address, timeout=PATIENCE, set_as_default=False)
            self.client.wait_for_workers(1, timeout=PATIENCE)
        except (OSError, ValueError, TimeoutError) as error:
            self.stop()
            remedy = "start it and its workers first, or check the address (tcp://HOST:8786)"
            raise InputError("--scheduler", address, f"no cluster there ({error})"[:200], remedy) from None

    def run(self, groups: Groups) -> Iterator[Outcome]:
        """Outcomes as they come. Raises :class:`BatchStopped` where the scheduler is lost."""
        dask = self.distributed
        deaths: Counter[int] = Counter()
        flight: dict[Any, list[int]] = {}
        done = dask.as_completed(with_results=False, loop=self.client.loop)
        try:
            room = AHEAD * max(1, sum(self.client.nthreads().values()))
            for _ in range(room):
                self._submit(next(groups, None), flight, done)
            while flight:
                future = next(done)
                group = flight.pop(future)
                if future.status == "finished":
                    yield from (Outcome(**each) for each in future.result())
                elif future.status == "error" and isinstance(future.exception(), dask.KilledWorker):
                    yield from self._lost(group, deaths, flight, done)
                else:
                    raise BatchStopped(_why_stopped(future))
                future.release()
                self._submit(next(groups, None), flight, done)
        except (OSError, TimeoutError, StopIteration) as error:
            raise BatchStopped(f"the cluster is lost: {error}") from None
        finally:
            for future in flight:
                with suppress(Exception):
                    future.cancel()

    def _submit(self, group: Sequence[int] | None, flight: dict[Any, list[int]], done: Any) -> None:
        if group is not None:
            future = self.client.submit(run_group, self.recipe, list(group), pure=False)
            flight[future] = list(group)
            done.add(future)

    def _lost(self, group: list[int], deaths: Counter[int], flight: Any, done: Any) -> Iterator[Outcome]:
        """Workers died of a group: its variants go one by one, and one that ends more of them has failed."""
        for index in group:
            deaths[index] += 1
            if len(group) == 1 and deaths[index] >= TRIES - 1:
                yield Outcome(index, "lost", LOST)
            else:
                self._submit([index], flight, done)

    def stop(self) -> None:
        for each in (getattr(self, "client", None), self.cluster):
            if each is not None:
                with suppress(Exception):
                    each.close(timeout=2)


def _silence() -> None:
    """A cluster that goes tells so in tens of lines, and we in one."""
    for name in ("distributed", "tornado", "asyncio", *logging.root.manager.loggerDict):
        if name.split(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def reach(address: str) -> None:
    """Raises :class:`InputError` where there is no dask, or nobody listens at ``address``: found out before anything is
    written, and before a client tries for long."""
    if importlib.util.find_spec("distributed") is None:
        raise InputError("--scheduler", address, NO_DASK, "pip install 'haiflow[batch]'")
    if address == LOCAL:
        return
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    remedy = "start it and its workers first, or check the address (tcp://HOST:8786)"
    if not colon or not port.isdecimal():
        raise InputError("--scheduler", address, "not an address", remedy)
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise InputError("--scheduler", address, f"no cluster there ({error})", remedy) from None


def _why_stopped(future: Any) -> str:
    if future.status in ("cancelled", "lost"):
        return "the cluster is lost: its scheduler has gone"
    error = future.exception()
    return f"a worker cannot run variants: {type(error).__name__}: {error}"
