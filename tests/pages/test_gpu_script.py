"""`benchmarks/gpu.sh` runs its stages in order, with a `python` that writes down what it is asked to run."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from studies.command_line.main import make_parser
from studies.startup import FULL_FLOAT32

AT_FIRST = dict(os.environ)  # before studies, which set it too, run in this process
ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "gpu.sh"
FAKE_PYTHON = """#!/bin/sh
echo "$KERAS_BACKEND $*" >> "$TRACE"
case "$*" in
    *gpu_stacking*) cat "$STACKING" ;;
    *${FAILS:-nothing}*) echo "it went wrong"; exit 1 ;;
    *${WAITS:-nothing}*) sleep 1 ;;
esac
"""


@pytest.fixture
def start(tmp_path):
    """Return a function that starts the script and returns the process."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "stacking").touch()
    fake = tmp_path / "bin" / "python"
    fake.write_text(FAKE_PYTHON)
    fake.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"} | {
        "PATH": f"{fake.parent}:{os.environ['PATH']}",
        "TRACE": str(tmp_path / "trace"),
        "STACKING": str(tmp_path / "stacking"),
        "KERAS_AMSGRAD_DATA": str(tmp_path / "data"),
    }

    def start(*options, **more):
        command, pipe = ["sh", str(SCRIPT), "--out", "out", *options], subprocess.PIPE
        own = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell cannot trap what its parent ignores
        try:
            return subprocess.Popen(
                command,
                cwd=tmp_path,
                env=environment | more,
                stdout=pipe,
                stderr=pipe,
                text=True,
                start_new_session=True,
            )
        finally:
            signal.signal(signal.SIGINT, own)

    return start


@pytest.fixture
def run(start):
    """Return a function that runs the script to its end and returns (exit code, standard output, standard error)."""

    def run(*options, **more):
        process = start(*options, **more)
        said = process.communicate(timeout=60)
        return process.returncode, *said

    return run


def trace(tmp_path):
    """Return what `python` was asked to run by now, as (backend, arguments), and forget it."""
    path = tmp_path / "trace"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return [(line.split(" ")[0], shlex.split(line)[1:] if line[0] != " " else []) for line in lines]


def shown(asked):
    """Return for each call what it is about, as "jax pytest" or "jax mcgill-cifarnet 10"."""
    words = []
    for backend, arguments in asked:
        about = arguments[3] if arguments[1] == "studies" else arguments[1]
        seeds = arguments[arguments.index("--seeds") + 1 :][:1] if "--seeds" in arguments else []
        words.append(" ".join([backend, about, *seeds]))
    return words


def test_the_stages_run_in_order_in_full(run, tmp_path):
    assert run()[::2] == (0, "")
    first, *asked = trace(tmp_path)
    assert first == ("", [])  # whether there is a GPU
    assert shown(asked) == [
        *("jax pytest", "torch pytest", "jax digits", "jax mcgill-logistic"),
        *("jax benchmarks.gpu_step", "torch benchmarks.gpu_step", "jax mcgill-logistic", "jax mcgill-feedforward"),
        *("jax benchmarks.gpu_stacking", "jax mcgill-cifarnet 10"),
        *(f"jax korzeniowski-{network} {seeds}" for seeds in (1, 5) for network in ("cifarnet", "smallvgg", "vgg")),
    ]


@pytest.mark.parametrize("options", [(), ("--small",)], ids=" ".join)
def test_every_stage_is_a_command_that_exists(options, run, tmp_path):
    assert run(*options)[0] == 0
    for _, (_, module, *arguments) in [each for each in trace(tmp_path) if each[1]]:
        if module == "studies":
            assert make_parser().parse_args(arguments).data_dir == str(tmp_path / "data")
        elif module == "pytest":
            assert [path for path in arguments[1:] if not (ROOT / path).exists()] == []
        else:
            assert (ROOT / f"{module.replace('.', '/')}.py").exists()


def test_small_is_small_everywhere_and_needs_no_gpu(run, tmp_path):
    assert run("--small", FAILS="jax.devices")[0] == 0
    for _, arguments in trace(tmp_path):
        words = " ".join(arguments)
        assert "--small" in words or "--scale smoke" in words or words.endswith("tests/optimizers/test_optimizers.py")


def test_without_a_gpu_nothing_is_measured(run, tmp_path):
    exit_code, _, error = run(FAILS="jax.devices")
    assert exit_code == 1
    assert error.splitlines() == [
        "gpu.sh: error: the JAX and the PyTorch of `python` must find a GPU; without one, use --small"
    ]
    assert len(trace(tmp_path)) == 1


def test_a_second_run_skips_what_is_done_and_repeats_what_failed(run, tmp_path):
    exit_code, output, error = run("--small", FAILS="mcgill-feedforward")
    assert (exit_code, error) == (1, "gpu.sh: error: these stages failed: mcgill-feedforward\n")
    assert "mcgill-feedforward: failed: it went wrong (all of it: " in output
    assert shown(trace(tmp_path))[-1] == "jax korzeniowski-vgg 1"  # a failed stage does not keep others from running
    exit_code, output, error = run("--small")
    assert (exit_code, error) == (0, "")
    assert output.count(": done before\n") == 12
    assert shown(trace(tmp_path)) == ["jax mcgill-feedforward"]


def test_what_stacking_measured_is_what_studies_train_together(run, tmp_path, monkeypatch, capsys):
    from benchmarks import gpu_stacking

    milliseconds = {("vgg", 1): 3, ("vgg", 4): 2, ("vgg", 12): 2.5, ("cifarnet-drawn", 1): 2, ("cifarnet-drawn", 5): 4}

    def seconds_of_epochs(name, shape, together, batch, steps, epochs):
        if (name, together) == ("cifarnet", 4):
            raise MemoryError("too\nlarge")
        return [milliseconds.get((name, together), together) * steps * together / 1e3]

    monkeypatch.setattr(sys, "argv", ["gpu_stacking"])
    monkeypatch.setattr(gpu_stacking, "device_and_versions", lambda: "a card")
    monkeypatch.setattr(gpu_stacking, "seconds_of_epochs", seconds_of_epochs)
    gpu_stacking.main()
    said = capsys.readouterr().out
    assert "cifarnet-drawn,5,4.0000\ncifarnet-drawn: --together 1\n" in said  # 25 are not tried: 5 were far slower
    assert "# cifarnet, 4 together: too large\ncifarnet: --together 1\n" in said
    (tmp_path / "stacking").write_text(said)
    run()
    given = {words[3]: " ".join(words) for _, words in trace(tmp_path) if words[1:2] == ["studies"]}
    assert "--together 4 " in given["korzeniowski-vgg"]
    assert "--together 1 " in given["mcgill-cifarnet"]
    assert "--together" not in given["mcgill-logistic"]


def test_where_even_one_replica_cannot_train_nothing_is_measured(monkeypatch):
    from benchmarks import gpu_stacking

    def seconds_of_epochs(*_):
        raise MemoryError

    monkeypatch.setattr(gpu_stacking, "seconds_of_epochs", seconds_of_epochs)
    with pytest.raises(MemoryError):
        gpu_stacking.measured("vgg", gpu_stacking.CIFAR10, (1, 4), small=False)


def test_stacking_is_measured_with_the_products_of_studies(tmp_path):
    """They are settings that a backend reads when it is imported."""
    (tmp_path / "keras.py").write_text(f"import os; print([os.environ.get(n) for n in {list(FULL_FLOAT32)}]); exit()")
    bare = {name: value for name, value in os.environ.items() if name not in FULL_FLOAT32}
    said = subprocess.run(
        [sys.executable, "-c", "import benchmarks.gpu_stacking"],
        env=bare | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
    )
    assert said.stdout == f"{list(FULL_FLOAT32.values())}\n", said.stderr


def test_tests_multiply_in_full_float32_too():
    assert set(FULL_FLOAT32) <= set(AT_FIRST)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_script_ends_and_the_next_goes_on(sent, start, run, tmp_path):
    process = start("--small", WAITS="digits")
    end = time.monotonic() + 30
    while "digits" not in ((tmp_path / "trace").read_text() if (tmp_path / "trace").exists() else ""):
        assert time.monotonic() < end
        time.sleep(0.02)
    os.killpg(process.pid, sent)
    assert process.communicate(timeout=60)[1] == "gpu.sh: error: interrupted; the same command continues\n"
    assert process.returncode == 130
    assert shown(trace(tmp_path))[-1] == "jax digits"
    assert run("--small")[0] == 0
    assert shown(trace(tmp_path))[0] == "jax digits"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--nonsense"], "there is no option --nonsense; --help lists the options"),
        (["--data-dir"], "--data-dir needs a folder"),
        (["--data-dir", "no/such"], "the data folder no/such does not exist"),
        (["--out", "stacking/out"], "cannot write into the folder stacking/out"),
    ],
    ids=lambda value: "",
)
def test_wrong_usage_is_one_clear_line(options, said, run, tmp_path):
    assert run(*options) == (2, "", f"gpu.sh: error: {said}\n")
    assert trace(tmp_path) == []


def test_help_names_every_option(run):
    exit_code, output, _ = run("--help")
    assert exit_code == 0
    assert [line.split()[0] for line in output.splitlines() if line.startswith("    --")] == [
        *("--data-dir", "--out", "--small")
    ]
