"""What `gpu.sh` does, the most important first: a stage is a process with a time limit of its own."""

import dataclasses
import json
import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BACKENDS = ("jax", "torch")


@dataclasses.dataclass(frozen=True)
class Stage:
    """One process: `python ARGUMENTS`, on a backend of Keras, for at most `seconds`."""

    name: str
    seconds: float
    arguments: list
    backend: str = "jax"
    environment: dict = dataclasses.field(default_factory=dict)


def stages(options):
    """Return all stages in their order: is it right, how fast is a step, the grids, then CIFAR-10 as time allows."""
    small = ["--small"] if options.small else []
    steps = [
        Stage(f"step-{each}", 100, ["-m", "benchmarks.gpu_step", "--json", f"{{work}}/step-{each}.json", *small], each)
        for each in BACKENDS
    ]
    stacking = Stage("stacking", 160, ["-m", "benchmarks.gpu_stacking", "--json", "{work}/stacking.json", *small])
    # One run of every setting of every network before more runs of any.
    whole_grids = [(seeds, name) for seeds in (1, 5) for name in ("cifarnet", "smallvgg", "vgg")]
    return [
        *(tests(options, backend) for backend in BACKENDS),
        *steps,
        *(study(options, name, 120) for name in ("mcgill-logistic", "mcgill-feedforward")),
        stacking,
        study(options, "mcgill-cifarnet", 1200, seeds=10),
        *(study(options, f"korzeniowski-{name}", 1200, seeds=seeds) for seeds, name in whole_grids),
    ]


def tests(options, backend):
    """Return the stage of the tests that `make test-backends` runs, in full float32 precision."""
    makefile = (ROOT / "Makefile").read_text()
    names = re.search(r"addsuffix \.py,([\w\s\\]+)\)", makefile).group(1).replace("\\", " ").split()
    files = ["keras_amsgrad", *(f"tests/test_{name}.py" for name in names)]
    files += re.search(r"test-jax: MORE_TESTS := (.*)", makefile).group(1).split() if backend == "jax" else []
    chosen = ["tests/test_optimizers.py"] if options.small else [each for each in files if (ROOT / each).exists()]
    side_by_side = ["-n", str(min(8, os.cpu_count() or 1)), "--dist", "loadfile"]
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *side_by_side, *chosen]
    precise = {"JAX_DEFAULT_MATMUL_PRECISION": "highest", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    return Stage(f"tests-{backend}", 150, arguments, backend, precise)


def study(options, name, seconds, seeds=None):
    """Return the stage of a study, at paper scale; "{together}" is what the stage `stacking` found best."""
    scale = "smoke" if options.small else "paper"
    arguments = ["-m", "studies", "run", name, "--out", "{work}/results", "--scale", scale]
    arguments += ["--seeds", str(1 if options.small else seeds)] if seeds else []
    arguments += [] if name in ("mcgill-logistic", "mcgill-feedforward") else ["--together", "{together}"]
    arguments += ["--data-dir", str(options.data_dir)] if options.data_dir else []
    return Stage(f"{name}-{seeds}-seeds" if seeds else name, seconds, arguments)


def together(stage, measured, seconds):
    """Return how many replicas to train together in a stage, by the file `measured` of the stage `stacking`.

    It is the number with which a step of one fit took least time, among those with which a chunk is done in half of
    the `seconds` of a call: work that moves to another machine takes finished fits along, and nothing of the others.
    Where nothing was measured, or all take longer, fits train one by one.
    """
    rows = json.loads(measured.read_text())["rows"] if measured.exists() else []
    name = "-".join(stage.name.split("-")[:2])
    good = [row for row in rows if name in row["studies"].split() and row["s_per_chunk"] <= seconds / 2]
    return min(good, key=lambda row: row["ms_per_fit_and_step"])["together"] if good else 1


def pays(taken):
    """Return whether to try more replicas together, by the times of a fit's step with fewer and with ever more."""
    return not taken or taken[-1] <= 1.5 * min(taken)
