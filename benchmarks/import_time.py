"""Measure what `import keras_amsgrad` costs more than `import keras`.

    python benchmarks/import_time.py [--rounds 5]

Each round is a new process that imports Keras, and then this package. Two processes that import one package each would
differ by more than the package costs: an import of Keras takes seconds, which vary by some percent.

Prints one JSON line: the medians in seconds of wall-clock and processor time, and the ratio of the two imports together
to that of Keras alone. The exit code is 1 where more than 5 % of processor time are added.
"""

import argparse
import json
import subprocess
import sys
from statistics import median

ALLOWED = 1.05
TIMED = """
import time
def now():
    return time.perf_counter(), time.process_time()
times = [now()]
import keras
times.append(now())
import keras_amsgrad
times.append(now())
for start, end in zip(times, times[1:]):
    print(end[0] - start[0], end[1] - start[1])
"""


def seconds():
    """Return the wall-clock and processor seconds that a new process takes for Keras, then those for this package."""
    words = subprocess.run([sys.executable, "-c", TIMED], check=True, capture_output=True, text=True).stdout.split()
    return tuple(map(float, words))


def measure(rounds):
    """Return {kind of time: {"keras": median seconds, "keras_amsgrad": those added, "ratio"}} of so many processes."""
    seconds()  # once unmeasured: byte code, and the files in memory
    columns = list(zip(*(seconds() for _ in range(rounds)), strict=True))
    found = {}
    for kind, of_keras, added in (("wall", columns[0], columns[2]), ("processor", columns[1], columns[3])):
        ratio = median((k + ours) / k for k, ours in zip(of_keras, added, strict=True))
        found[kind] = {"keras": median(of_keras), "keras_amsgrad": median(added), "ratio": ratio}
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    result = measure(parser.parse_args().rounds)
    print(json.dumps({kind: {k: round(v, 4) for k, v in values.items()} for kind, values in result.items()}))
    sys.exit(result["processor"]["ratio"] > ALLOWED)
