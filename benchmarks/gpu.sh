#!/bin/sh
# Check and time on a GPU everything that the project promises for one; `benchmarks/gpu.sh --help` says how.
cd "$(dirname "$0")/.." && exec "${PYTHON:-python3}" benchmarks/gpu.py "$@"
