#!/bin/sh
# Run on a machine with a GPU: the tests of optimizers and replicas, the speed of a step, the searches, CIFAR-10.
#
#     benchmarks/gpu.sh [--data-dir DIR] [--out DIR] [--small]
#
#     --data-dir DIR    the folder with MNIST and CIFAR-10 (default: $KERAS_AMSGRAD_DATA; without either, downloads)
#     --out DIR         the folder for outputs and results (default: results-gpu, with --small results-gpu-small)
#     --small           everything on a small subset, with or without a GPU
#
# `python` needs the extra `backends` of setup.cfg, with JAX and PyTorch for GPUs; it needs no TensorFlow. Each stage is
# one command, which is printed and runs by hand too. Its output becomes OUT/STAGE.txt when it succeeds; the script skips
# stages that have this file, so run it again to continue. An interrupted study continues from its records. A stage that
# fails does not keep the others from running. Exit code: 0 all stages succeeded, 1 some failed, 2 wrong usage.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd) data=${KERAS_AMSGRAD_DATA:-} out='' small='' failed='' scale='' runs='1 5' pairs=10
jax='env KERAS_BACKEND=jax python' torch='env KERAS_BACKEND=torch python'
optimizers='keras_amsgrad tests/optimizers' replicas='tests/replicas/test_replicas.py tests/replicas/test_chunks.py'

die() {  # EXIT_CODE MESSAGE
    echo "gpu.sh: error: $2" >&2
    exit "$1"
}

stage() {  # NAME COMMAND...: run the command, unless it succeeded before
    stage=$1 && shift
    if [ -e "$out/$stage.txt" ]; then
        echo "$stage: done before"
    elif echo "$stage: $*" && "$@" >"$out/$stage.part" 2>&1; then
        mv "$out/$stage.part" "$out/$stage.txt"
    else
        failed="$failed $stage"
        echo "$stage: failed: $(tail -n 1 "$out/$stage.part") (all of it: $out/$stage.part)"
    fi
}

study() {  # STAGE STUDY OPTIONS...
    stage=$1 && shift
    stage "$stage" $jax -m studies run "$@" $scale ${data:+--data-dir "$data"} --out "$out/results"
}

together() {  # NETWORK: print the option that the stage `stacking` found best for it
    [ ! -e "$out/stacking.txt" ] || sed -n "s/^$1: //p" "$out/stacking.txt"
}

while [ $# -gt 0 ]; do
    case $1 in
        --small) small=--small scale='--scale smoke' runs=1 pairs=1 optimizers=tests/optimizers/test_optimizers.py replicas='' ;;
        -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" && exit ;;
        --data-dir | --out)
            [ "${2:-}" ] || die 2 "$1 needs a folder"
            if [ "$1" = --out ]; then out=$2; else data=$2; fi
            shift ;;
        *) die 2 "there is no option $1; --help lists the options" ;;
    esac
    shift
done
[ -z "$data" ] || [ -d "$data" ] || die 2 "the data folder $data does not exist"
data=${data:+$(cd "$data" && pwd)} out=${out:-$root/results-gpu${small#-}}
mkdir -p "$out" 2>/dev/null && [ -w "$out" ] || die 2 "cannot write into the folder $out"
out=$(cd "$out" && pwd) && cd "$root"
[ "$small" ] || python -c 'import jax, torch; jax.devices("gpu"), torch.zeros(1, device="cuda")' 2>/dev/null ||
    die 1 "the JAX and the PyTorch of \`python\` must find a GPU; without one, use --small"
trap 'die 130 "interrupted; the same command continues"' INT TERM

stage tests-jax $jax -m pytest -q $optimizers $replicas
stage tests-torch $torch -m pytest -q $optimizers
study digits digits
stage smoke $jax -m studies run mcgill-logistic --scale smoke ${data:+--data-dir "$data"} --out "$out/smoke"
stage step-jax $jax -m benchmarks.gpu_step $small
stage step-torch $torch -m benchmarks.gpu_step $small
study mcgill-logistic mcgill-logistic
study mcgill-feedforward mcgill-feedforward
stage stacking $jax -m benchmarks.gpu_stacking $small
study mcgill-cifarnet mcgill-cifarnet --seeds $pairs $(together cifarnet-drawn)
for seeds in $runs; do  # one run of every setting of every network before more runs of any
    for network in cifarnet smallvgg vgg; do
        study "$network-$seeds" "korzeniowski-$network" --seeds "$seeds" $(together "$network")
    done
done
[ -z "$failed" ] || die 1 "these stages failed:$failed"
echo "all stages done; $out/results/report.html shows the studies"
