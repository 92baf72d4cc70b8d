"""Kill a running study at random instants, start it again, until it is done; count what was lost or done twice.

    python benchmarks/crash.py [--kills 50] [--out FOLDER] [-- further options of `studies run`]

Prints one JSON line: kills that met a running study, how many of these after it had recorded something new, finished
fits lost, finished fits trained again, fits of the study, and whether the final tables equal those of an uninterrupted
run (all columns but `seconds`).
"""

import argparse
import functools
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd


def crash_until_done(command, found, kills, shortest, longest, seed, from_new_records=False):
    """Run a command until it is done, killing it up to `kills` times between `shortest` and `longest` seconds.

    `found()` returns the bytes of every record, by name. `from_new_records` counts the seconds from the first record
    that a start adds. Returns {"kills", "after_new_records", "lost", "retrained"}.
    """
    rng, counts = random.Random(seed), dict.fromkeys(("kills", "after_new_records", "lost", "retrained"), 0)
    while True:
        before = found()
        seconds = rng.uniform(shortest, longest) if counts["kills"] < kills else None
        finished = run(command, seconds, functools.partial(grown, found, before) if from_new_records else None)
        after = found()
        counts["kills"] += not finished
        counts["after_new_records"] += not finished and after.keys() > before.keys()
        counts["lost"] += len(before.keys() - after.keys())
        counts["retrained"] += sum(before[name] != after[name] for name in before.keys() & after.keys())
        if finished:
            return counts


def records(out):
    """Return the bytes of every record, by name. They hold the seconds that a fit took, so a second training shows."""
    return {path.name: path.read_bytes() for path in (out / "records").rglob("*.json")}


def tables(out):
    """Return runs.csv without its seconds, and curves.csv."""
    runs = pd.read_csv(out / "runs.csv", dtype=str).drop(columns="seconds")
    return runs, pd.read_csv(out / "curves.csv", dtype=str)


def same_tables(one, other):
    return all(mine.equals(theirs) for mine, theirs in zip(tables(one), tables(other), strict=True))


def grown(found, before):
    """Return whether there are more records than before."""
    return found().keys() > before.keys()


def run(command, seconds=None, ready=None):
    """Run a command; kill it after `seconds`, from when `ready()` is true on. Returns whether it finished before."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while seconds is not None and ready and not ready() and process.poll() is None:
        time.sleep(0.02)
    try:
        _, error = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return False
    if process.returncode:
        raise RuntimeError(f"it failed instead of going on: {error}")
    return True


def command_of(out, arguments):
    """Return the command that runs a study into `out`."""
    return [sys.executable, "-m", "studies", "run", *arguments, "--out", str(out)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--out", type=Path, help="folder for both runs (default: a temporary one)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shortest", type=float, default=3, help="seconds from a start to its kill, at least")
    parser.add_argument("--longest", type=float, default=15, help="and at most: enough to start and finish a fit")
    parser.add_argument("arguments", nargs="*", default=["digits"], help="what to run (default: digits)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.out or Path(temporary)
        killed = functools.partial(records, folder / "killed")
        times = options.kills, options.shortest, options.longest, options.seed
        counts = crash_until_done(command_of(folder / "killed", options.arguments), killed, *times)
        run(command_of(folder / "whole", options.arguments))
        counts["fits"] = len(records(folder / "whole"))
        counts["same_tables"] = same_tables(folder / "killed", folder / "whole")
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
