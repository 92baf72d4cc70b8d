"""Check and time on one GPU, within ten minutes: the optimizers' tests, their step, the grids, the CIFAR-10 studies.

    benchmarks/gpu.sh --data-dir DIR [--wheels DIR] [--work results-gpu] [--out $OUT] [--seconds 570] [--small]

Needs JAX and PyTorch, not TensorFlow; what else is missing comes from a folder of wheels. Stages run in the order of
`gpu_stages.stages`, each as a process with a time limit of its own. The same command again goes on: what is done is
left out, and a study continues from its records. All of it lies in --work; after every stage --out gets `summary.json`,
a CSV file for each benchmark, and `work.tar.gz`, which unpacked in the repository's root is the --work folder to go on
with. `results` in it is a folder of `studies`, for `report`, `export` and `studies/published/publish.py`.
`--small` goes through everything on a small subset, in minutes on a CPU.
"""

import argparse
import contextlib
import csv
import ctypes
import fcntl
import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

from benchmarks.gpu_machine import blind, machine, write
from benchmarks.gpu_stages import ROOT, stages, together

GRACE = 15  # seconds in which a stage that is asked to end may write what it has
LEFT_OUT = ("site", "unfinished", "figures", "report.html", ".lock")  # of work.tar.gz
LIBC = ctypes.CDLL(None)


def main(arguments=None):
    """Run what is not done and return the exit code: 0 nothing failed, 1 a stage failed, 2 bad usage, 130 interrupted.

    Everything done, or no time left: both are 0, and the last line says which.
    """
    # Both end a stage in order, whatever the shell that began this process had them do.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.default_int_handler)
    options = parsed(arguments)
    with alone(options.work) as is_alone:
        if not is_alone:
            print(f"gpu.sh: error: another call is at work in {options.work}", file=sys.stderr)
            return 1
        try:
            return run_all(options)
        except subprocess.CalledProcessError:
            print(f"gpu.sh: error: pip could not install the wheels in {options.wheels}", file=sys.stderr)
            return 1
        except OSError as error:  # a full disk
            print(f"gpu.sh: error: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("gpu.sh: interrupted; the same command goes on from here", file=sys.stderr)
            return 130


def parsed(arguments):
    parser = argparse.ArgumentParser(
        prog="gpu.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=os.environ.get("KERAS_AMSGRAD_DATA") or None,
        help="folder with MNIST and CIFAR-10 (default: $KERAS_AMSGRAD_DATA)",
    )
    parser.add_argument("--wheels", type=Path, help="install these wheels, and nothing else, into the work folder")
    parser.add_argument("--work", type=Path, help="what is kept between calls (default: results-gpu)")
    parser.add_argument("--out", type=Path, default=os.environ.get("OUT"), help="(default: $OUT, or results-gpu-out)")
    parser.add_argument("--seconds", type=float, default=570, help="for all stages together")
    parser.add_argument("--only", nargs="+", metavar="STAGE", help="these stages only")
    parser.add_argument("--small", action="store_true", help="everything on a small subset")
    options = parser.parse_args(arguments)
    options.work = options.work or ROOT / ("results-gpu-small" if options.small else "results-gpu")
    options.out = options.out or options.work.with_name(f"{options.work.name}-out")
    for name in ("work", "out", "data_dir", "wheels"):
        folder = getattr(options, name)
        setattr(options, name, folder and folder.resolve())
    with_a_clear_line(parser, options)
    return options


def with_a_clear_line(parser, options):
    """End in one line with exit code 2 where the options cannot be what is meant."""
    if not options.seconds > GRACE + 10:
        parser.error(f"--seconds must be more than {GRACE + 10}, not {options.seconds:g}")
    if options.data_dir and not options.data_dir.is_dir():
        parser.error(f"the data folder {options.data_dir} does not exist")
    if options.wheels and not any(options.wheels.glob("*.whl")):
        parser.error(f"there are no wheels in {options.wheels}")
    names = [stage.name for stage in stages(options)]
    for name in options.only or []:
        if name not in names:
            parser.error(f"there is no stage {name!r}; there are {', '.join(names)}")
    for folder in (options.work, options.out):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            parser.error(f"the folder {folder} cannot be made: {error.strerror}")
        if not os.access(folder, os.W_OK | os.X_OK):
            parser.error(f"nothing may be written into {folder}")


@contextlib.contextmanager
def alone(work):
    """Say whether no other call is at work in a folder, and keep others out; the lock goes with its process."""
    with (work / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def run_all(options):
    end, here = time.monotonic() + options.seconds, machine()
    path = [str(ROOT), *([installed(options)] if options.wheels else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}
    if backends := blind(here["card"], environment):
        print(f"gpu.sh: error: there is a GPU, but {' and '.join(backends)} cannot use it", file=sys.stderr)
        return 1
    chosen = [stage for stage in stages(options) if not options.only or stage.name in options.only]
    statuses = []
    for stage in chosen:
        left = end - time.monotonic() - GRACE
        before = record_of(options, stage)
        statuses.append(before.get("status"))
        if before.get("status") == "done":
            print(f"{stage.name}: done before, {before['seconds']} s", flush=True)
        elif left < 10:
            print(f"{stage.name}: no time left; the same command goes on from here", flush=True)
        else:
            limit = min(stage.seconds * (1 + before.get("calls", 0)), left)  # longer, if it was stopped before
            try:
                statuses[-1] = run(stage, options, environment, limit, before, here)
            finally:
                publish(options, here)
    print(f"{statuses.count('done')} of {len(chosen)} stages done; {options.out / 'summary.json'}")
    return int("failed" in statuses)


def installed(options):
    """Install the wheels into the work folder and return where they are; what the machine has stays as it is."""
    wheels = sorted(options.wheels.glob("*.whl"))
    site = options.work / "site" / hashlib.sha256(" ".join(each.name for each in wheels).encode()).hexdigest()[:12]
    if not site.exists():
        aside = site.with_suffix(".part")
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--no-compile", "--upgrade"]
        subprocess.run([*pip, "--target", str(aside), *map(str, wheels)], check=True)
        aside.rename(site)
    return str(site)


def run(stage, options, environment, limit, before, here):
    """Run a stage for at most `limit` seconds, record it, and return its status: done, stopped or failed."""
    number = together(stage, options.work / "stacking.json", options.seconds)
    places = {"{together}": str(number), "{work}": within(options.work)}
    arguments = [filled(each, places) for each in stage.arguments]
    environment = {**environment, "KERAS_BACKEND": stage.backend, **stage.environment}
    log = options.work / f"{stage.name}.log"
    record = {
        "stage": stage.name,
        "status": "running",  # and so it stays if this process is killed
        "seconds": before.get("seconds", 0),  # of the calls that were not
        "calls": before.get("calls", 0) + 1,
        "machines": before.get("machines", []) + [here] * (here not in before.get("machines", [])),
        "command": command(stage, arguments),
    }
    write(path_of(options, stage), record)
    started = time.monotonic()
    with log.open("a") as file:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
        try:
            by_itself = ended(process, limit)
            record["status"] = "stopped" if not by_itself else "failed" if process.returncode else "done"
        except KeyboardInterrupt:
            record["status"] = "stopped"
            raise
        finally:
            seconds = round(time.monotonic() - started, 1)
            record["seconds"] = round(seconds + record["seconds"], 1)
            record |= {"exit": process.returncode, "said": last_lines(log)}
            write(path_of(options, stage), record)
    print(f"{stage.name}: {record['status']}, {seconds} s: {record['said'][-1] if record['said'] else ''}", flush=True)
    return record["status"]


def within(folder):
    """Return a folder as stages know it, whose current one is the repository's root."""
    return str(folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder)


def filled(text, places):
    for name, value in places.items():
        text = text.replace(name, value)
    return text


def command(stage, arguments):
    """Return the command that runs a stage by itself, in the repository's root."""
    given = {"KERAS_BACKEND": stage.backend, **stage.environment}
    return " ".join([*(f"{name}={value}" for name, value in given.items()), "python", shlex.join(arguments)])


def end_with_parent():
    """Have Linux kill this process when its parent dies, even of SIGKILL: else a stage would go on unseen."""
    if sys.platform == "linux":
        LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def ended(process, limit):
    """Wait for a process and return whether it ended by itself; else interrupt it, and kill it if it stays."""
    try:
        process.wait(limit)
        return True
    except subprocess.TimeoutExpired:
        return False
    finally:
        if process.returncode is None:
            stop(process)


def stop(process):
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):  # who interrupts twice will not wait
        process.wait(GRACE - 5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # with the processes that it began
    process.wait()


def record_of(options, stage):
    path = path_of(options, stage)
    return json.loads(path.read_text()) if path.exists() else {}


def path_of(options, stage):
    return options.work / "stages" / f"{stage.name}.json"


def last_lines(log):
    """Return the end of a log: how long search and training took, how many tests passed, or an error."""
    return [line[-200:] for line in log.read_text(errors="replace").splitlines() if line.strip()][-6:]


def publish(options, here):
    """Write into --out what is known by now."""
    benchmarks = {path.stem: json.loads(path.read_text()) for path in sorted(options.work.glob("*.json"))}
    summary = {
        "machine": here,
        "command": f"benchmarks/gpu.sh {shlex.join(sys.argv[1:])}",
        "stages": [record for stage in stages(options) if (record := record_of(options, stage))],
        "fits": {each.name: len(list(each.glob("*.json"))) for each in (options.work / "results/records").glob("*")},
        "benchmarks": benchmarks,
    }
    write(options.out / "summary.json", summary)
    for name, benchmark in benchmarks.items():
        if not benchmark["rows"]:
            continue
        with (options.out / f"{name}.csv").open("w", newline="") as file:
            table = csv.DictWriter(file, ["card", *benchmark["rows"][0]])
            table.writeheader()
            table.writerows({"card": benchmark["machine"]["card"], **row} for row in benchmark["rows"])
    aside = options.out / "work.part"
    with tarfile.open(aside, "w:gz") as archive:
        archive.add(options.work, arcname=options.work.name, filter=to_keep)
    aside.replace(options.out / "work.tar.gz")


def to_keep(info):
    return None if Path(info.name).name in LEFT_OUT else info


if __name__ == "__main__":
    sys.exit(main())
