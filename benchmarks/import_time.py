"""Measure what `import keras_amsgrad` costs more than `import keras`: new processes, one after the other in turn.

    python benchmarks/import_time.py [--rounds 10]

Prints one JSON line: the medians in seconds of wall-clock and processor time, and their ratios. The exit code is 1
where the processor time is more than 5 % larger; the wall clock also counts what else the machine does.
"""

import argparse
import json
import subprocess
import sys
from statistics import median

ALLOWED = 1.05
MODULES = ("keras", "keras_amsgrad")
TIMED = """
import time
start = time.perf_counter(), time.process_time()
import {module}
print(time.perf_counter() - start[0], time.process_time() - start[1])
"""


def seconds(module):
    """Return (wall-clock, processor) seconds that a new process takes to import `module`."""
    words = subprocess.run(
        [sys.executable, "-c", TIMED.format(module=module)], check=True, capture_output=True, text=True
    ).stdout.split()
    return tuple(map(float, words))


def measure(rounds):
    """Return {kind of time: {module: median seconds, "ratio"}} of so many imports of each module, in turn."""
    for module in MODULES:  # once unmeasured: byte code, and the files in memory
        seconds(module)
    taken = [[seconds(module) for module in MODULES] for _ in range(rounds)]
    found = {}
    for i, kind in enumerate(("wall", "processor")):
        of_keras, of_ours = (median(each[m][i] for each in taken) for m in range(len(MODULES)))
        found[kind] = {"keras": of_keras, "keras_amsgrad": of_ours, "ratio": of_ours / of_keras}
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    result = measure(parser.parse_args().rounds)
    print(json.dumps({kind: {k: round(v, 4) for k, v in values.items()} for kind, values in result.items()}))
    sys.exit(result["processor"]["ratio"] > ALLOWED)
