"""A real Dask cluster on loopback, of processes that can be killed."""

import contextlib
import os
import re
import signal
import subprocess
import sys

ONE_THREAD = {**os.environ, "TF_NUM_INTRAOP_THREADS": "1", "PYTHONUNBUFFERED": "1"}


@contextlib.contextmanager
def scheduler():
    """Give the address of a scheduler."""
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    process = subprocess.Popen([*command, "--no-dashboard"], stderr=subprocess.PIPE, text=True, env=ONE_THREAD)
    try:
        yield _first_address(process.stderr)
    finally:
        process.kill()
        process.communicate()


def _first_address(lines):
    for line in lines:
        if found := re.search(r"tcp://127\.0\.0\.1:\d+", line):
            return found.group()
    raise RuntimeError("the scheduler said no address")


class Workers:
    """Workers of a scheduler, of one thread each, in process groups of their own and without nannies: a killed one
    stays dead.
    """

    def __init__(self, address, count, folder):
        command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny"]
        self.command = [*command, "--no-dashboard", "--host", "127.0.0.1", "--local-directory", str(folder)]
        self.processes = []
        for _ in range(count):
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        while self.processes:
            self.kill(0)

    def start(self):
        """Start one more worker."""
        self.processes.append(
            subprocess.Popen(self.command, stderr=subprocess.DEVNULL, start_new_session=True, env=ONE_THREAD)
        )

    def kill(self, number):
        """Kill a worker, and the processes below it, at once."""
        process = self.processes.pop(number)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
