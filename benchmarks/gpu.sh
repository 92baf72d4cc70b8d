#!/bin/sh
# Check and time on a GPU everything that the project promises for one; `benchmarks/gpu.sh --help` says how.
root=$(cd "$(dirname "$0")/.." && pwd) || exit
PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" exec "${PYTHON:-python3}" -P -m benchmarks.gpu "$@"
