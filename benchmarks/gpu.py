"""Check and time on one GPU, within ten minutes: the optimizers' tests, their step, the grids, the CIFAR-10 studies.

    benchmarks/gpu.sh --data-dir DIR [--wheels DIR] [--work results-gpu] [--out $OUT] [--seconds 570] [--small]

Needs JAX and PyTorch, not TensorFlow; what else is missing comes from a folder of wheels. Stages run in the order of
`stages`, each as a process with a time limit of its own. The same command again goes on: what is done is left out, and
a study continues from its records. All of it lies in --work; after every stage --out gets `summary.json`, a CSV file
for each benchmark, and `work.tar.gz`, which unpacked in the repository's root is the --work folder to go on with.
`--small` goes through everything on a small subset, in minutes on a CPU.
"""

import argparse
import contextlib
import csv
import dataclasses
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tarfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("keras", "jax", "jaxlib", "torch", "numpy", "optax", "scikit-learn", "scikeras", "tensorflow")
GRACE = 15  # seconds in which a stage that is asked to end may write what it has
LEFT_OUT = ("site", "unfinished", "figures", "report.html", ".lock")  # of work.tar.gz: can be made again


@dataclasses.dataclass(frozen=True)
class Stage:
    """One process: `python ARGUMENTS`, on a backend of Keras, for at most `seconds`."""

    name: str
    seconds: int
    arguments: list
    backend: str = "jax"
    environment: dict = dataclasses.field(default_factory=dict)


def stages(options):
    """Return what is to be done, the most important first."""
    small = ["--small"] if options.small else []
    step = [
        Stage(f"step-{name}", 70, ["benchmarks/gpu_step.py", "--json", f"{{work}}/step-{name}.json", *small], name)
        for name in BACKENDS
    ]
    stacking = Stage("stacking", 150, ["benchmarks/gpu_stacking.py", "--json", "{work}/stacking.json", *small])
    grids = [study(options, name, 120) for name in ("mcgill-logistic", "mcgill-feedforward")]
    whole = [(1, each) for each in ("cifarnet", "smallvgg", "vgg")]
    whole += [(5, each) for each in ("cifarnet", "smallvgg", "vgg")]
    return [
        *(tests(options, backend) for backend in BACKENDS),
        *step,
        *grids,
        stacking,
        study(options, "mcgill-cifarnet", 1200, seeds=10),
        *(study(options, f"korzeniowski-{name}", 1200, seeds=seeds) for seeds, name in whole),
    ]


BACKENDS = ("jax", "torch")


def tests(options, backend):
    """Return the stage of the tests that `make test-backends` runs, in full float32 precision."""
    makefile = (ROOT / "Makefile").read_text()
    names = re.search(r"addsuffix \.py,([\w\s\\]+)\)", makefile).group(1).replace("\\", " ").split()
    files = ["keras_amsgrad", *(f"tests/test_{name}.py" for name in names)]
    files += ["tests/test_replicas.py"] if backend == "jax" else []
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


def main():
    options = parsed()
    options.work.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + options.seconds
    path = [str(ROOT), *([installed(options)] if options.wheels else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}
    failed = False
    for stage in stages(options):
        if options.only and stage.name not in options.only:
            continue
        left = end - time.monotonic() - GRACE
        before = record_of(options, stage)
        if before.get("status") == "done":
            print(f"{stage.name}: done before, {before['seconds']} s", flush=True)
        elif left < 10:
            print(f"{stage.name}: no time left; the same command goes on from here", flush=True)
        else:
            limit = min(stage.seconds * (1 + before.get("calls", 0)), left)  # longer, if it was stopped before
            failed |= run(stage, options, environment, limit, before) == "failed"
            publish(options)
    return int(failed)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, help="folder with MNIST and CIFAR-10 (default: $KERAS_AMSGRAD_DATA)")
    parser.add_argument("--wheels", type=Path, help="install these wheels, and nothing else, into the work folder")
    parser.add_argument("--work", type=Path, help="what is kept between calls (default: results-gpu)")
    parser.add_argument("--out", type=Path, default=os.environ.get("OUT"), help="(default: $OUT, or results-gpu-out)")
    parser.add_argument("--seconds", type=float, default=570, help="for all stages together")
    parser.add_argument("--only", nargs="+", metavar="STAGE", help="these stages only")
    parser.add_argument("--small", action="store_true", help="everything on a small subset")
    options = parser.parse_args()
    options.work = options.work or ROOT / ("results-gpu-small" if options.small else "results-gpu")
    options.out = options.out or options.work.with_name(f"{options.work.name}-out")
    for name in ("work", "out", "data_dir", "wheels"):
        folder = getattr(options, name)
        setattr(options, name, folder and folder.resolve())
    return options


def installed(options):
    """Install the wheels into the work folder and return where they are; what the machine has stays as it is."""
    site = options.work / "site"
    if not site.exists():
        wheels = map(str, sorted(options.wheels.glob("*.whl")))
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--no-compile"]
        subprocess.run([*pip, "--target", str(site), *wheels], check=True)
    return str(site)


def run(stage, options, environment, limit, before):
    """Run a stage for at most `limit` seconds, record it, and return its status: done, stopped or failed."""
    places = {"{together}": str(together(options, stage)), "{work}": str(options.work)}
    arguments = [filled(each, places) for each in stage.arguments]
    environment = {**environment, "KERAS_BACKEND": stage.backend, **stage.environment}
    log = options.work / f"{stage.name}.log"
    started = time.monotonic()
    with log.open("a") as file:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=file, stderr=file, start_new_session=True
        )
        stopped = not ended(process, limit)
    status = "stopped" if stopped else "done" if process.returncode == 0 else "failed"
    seconds = round(time.monotonic() - started, 1)
    record = {
        "stage": stage.name,
        "status": status,
        "seconds": round(seconds + before.get("seconds", 0), 1),
        "calls": before.get("calls", 0) + 1,
        "command": f"KERAS_BACKEND={stage.backend} python {' '.join(arguments)}",
        "said": last_lines(log),
    }
    write(options.work / "stages" / f"{stage.name}.json", record)
    print(f"{stage.name}: {status}, {seconds} s: {record['said'][-1] if record['said'] else ''}", flush=True)
    return status


def filled(text, places):
    for name, value in places.items():
        text = text.replace(name, value)
    return text


def ended(process, limit):
    """Wait for a process and return whether it ended by itself; else interrupt it, and kill it if it stays."""
    try:
        process.wait(limit)
        return True
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE - 5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # with the processes that it began
    process.wait()
    return False


def together(options, stage):
    """Return how many replicas of the stage's network trained fastest together, in the stage `stacking`; else 1."""
    measured = options.work / "stacking.json"
    rows = json.loads(measured.read_text())["rows"] if measured.exists() else []
    name = "-".join(stage.name.split("-")[:2])
    of_network = [row for row in rows if name in row["studies"]]
    return min(of_network, key=lambda row: row["ms_per_fit_and_step"])["together"] if of_network else 1


def record_of(options, stage):
    path = options.work / "stages" / f"{stage.name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def last_lines(log):
    """Return the end of a log: how long search and training took, how many tests passed, or an error."""
    return [line[-200:] for line in log.read_text(errors="replace").splitlines() if line.strip()][-6:]


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".part")
    aside.write_text(json.dumps(content, indent=1))
    aside.replace(path)


def publish(options):
    """Write into --out what is known by now."""
    options.out.mkdir(parents=True, exist_ok=True)
    benchmarks = {path.stem: json.loads(path.read_text()) for path in sorted(options.work.glob("*.json"))}
    summary = {
        "machine": machine(),
        "command": " ".join(sys.argv),
        "stages": [json.loads(path.read_text()) for path in sorted((options.work / "stages").glob("*.json"))],
        "fits": {each.name: len(list(each.glob("*.json"))) for each in (options.work / "results/records").glob("*")},
        "benchmarks": benchmarks,
    }
    write(options.out / "summary.json", summary)
    for name, benchmark in benchmarks.items():
        with (options.out / f"{name}.csv").open("w", newline="") as file:
            table = csv.DictWriter(file, benchmark["rows"][0], extrasaction="ignore")
            table.writeheader()
            table.writerows(benchmark["rows"])
    aside = options.out / "work.part"
    with tarfile.open(aside, "w:gz") as archive:
        keep = lambda info: None if Path(info.name).name in LEFT_OUT else info  # noqa: E731
        archive.add(options.work, arcname=options.work.name, filter=keep)
    aside.replace(options.out / "work.tar.gz")


def machine():
    """Return the card, its driver, and versions."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        card = subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        card = "no NVIDIA GPU"
    return {
        "card": card,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": versions(),
    }


def versions():
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


if __name__ == "__main__":
    sys.exit(main())
