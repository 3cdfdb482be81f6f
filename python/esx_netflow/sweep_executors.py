# SPDX-License-Identifier: GPL-2.0-only
"""Where the points of a sweep run: processes of this machine, which are renewed when one dies, or an executor that
somebody gives."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import FIRST_COMPLETED, Executor, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from .sweep_points import UNGUARDED, begin_worker, take_away_half_results

_TRIES = 3  # of a point whose worker dies
_PATIENCE = 2  # s, for workers that are told to end


class _Pool:
    """Processes of this machine. If one dies, the others die with it (so says concurrent.futures): a new pool is made,
    and what was not finished is run again."""

    takes_any_function = False

    def __init__(self, workers):
        self._workers = self.workers = workers
        self._pool = None
        self._processes = {}

    def submit(self, *call):
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self._workers, mp_context=get_context("spawn"), initializer=begin_worker)
        # Ctrl-C at a terminal goes to all its processes: workers are deaf to it from their first moment on.
        deaf_before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return self._pool.submit(*call)
        finally:
            self._processes = self._pool._processes or {}  # Python has no public way before 3.14
            signal.pthread_sigmask(signal.SIG_SETMASK, deaf_before)

    def renew(self):
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)  # before it, exit codes may be unknown
            self._pool = None
        if any(process.exitcode == UNGUARDED for process in self._processes.values()):
            raise RuntimeError(
                "sweep() runs whenever this script is imported, and its workers import it: "
                'put it under `if __name__ == "__main__":`'
            )

    def close(self):
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def abandon(self, _futures, store):
        """Ends the workers, whatever they are at, but no futures: a pool that breaks trips over cancelled ones."""
        if self._pool is None:
            return
        workers = list(self._processes.values())
        for worker in workers:
            worker.terminate()
        deadline = time.monotonic() + _PATIENCE
        for worker in workers:
            worker.join(max(0, deadline - time.monotonic()))
            if worker.is_alive():
                worker.kill()
        self.close()
        take_away_half_results(store)


class _Given:
    """Somebody's executor, with as many workers as it likes; it repeats what it loses as it likes. Dask takes any
    function, by cloudpickle."""

    workers = None

    def __init__(self, executor, close=None, takes_any_function=False):
        self._executor = executor
        self._close = close
        self.takes_any_function = takes_any_function

    def submit(self, *call):
        return self._executor.submit(*call)

    def renew(self):
        pass

    def close(self):
        if self._close:
            self._close()

    def abandon(self, futures, _store):
        for future in futures:
            future.cancel()
        self.close()


def executor_of(executor):
    if executor is None or isinstance(executor, int):
        workers = executor or len(os.sched_getaffinity(0))
        if workers < 1:
            raise ValueError(f"a sweep needs at least one process, not {workers}")
        return _Pool(workers)
    if isinstance(executor, str):
        from distributed import Client

        client = Client(executor, set_as_default=False)
        return _Given(client.get_executor(pure=False, retries=2), client.close, True)
    if hasattr(executor, "get_executor"):  # a Dask client
        return _Given(executor.get_executor(pure=False, retries=2), takes_any_function=True)
    if isinstance(executor, Executor) or hasattr(executor, "submit"):
        return _Given(executor)
    raise TypeError(f"no executor: {executor!r}")


def run_calls(pool, calls, done, store):
    """Runs calls {index: arguments}. Tells done(index, value, error) of each, in order of completion. If it is
    interrupted, Ctrl-C above all, nobody waits for the points that are still to come."""
    under_way = {}
    try:
        _run_all(pool, dict(calls), under_way, done)
    except BaseException:
        pool.abandon(under_way, store)
        raise


def _run_all(pool, waiting, under_way, done):
    tries = dict.fromkeys(waiting, 0)
    while waiting:
        for index, call in waiting.items() if not under_way else ():
            under_way[pool.submit(*call)] = index
        finished, _ = wait(under_way, return_when=FIRST_COMPLETED)
        broken = False
        for future in finished:
            index = under_way.pop(future)
            error = future.exception()
            if isinstance(error, BrokenProcessPool):
                broken = True
                continue
            waiting.pop(index)
            done(index, None if error else future.result(), error)
        if broken:
            # Whoever ran may have killed the worker: of so many, one at a time is tried in the end.
            pool.renew()
            under_way.clear()
            for index in list(waiting):
                tries[index] += 1
            for index in [index for index in waiting if tries[index] >= _TRIES]:
                _try_alone(pool, waiting.pop(index), index, done)


def _try_alone(pool, call, index, done):
    """One point with nobody beside it: if its worker dies now, it is the point's fault."""
    future = pool.submit(*call)
    error = future.exception()
    if isinstance(error, BrokenProcessPool):
        pool.renew()
        error = RuntimeError(f"the worker died, {_TRIES + 1} times")
    done(index, None if error else future.result(), error)
