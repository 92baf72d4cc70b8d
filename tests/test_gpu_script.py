"""What a call of `benchmarks/gpu.sh` does: what it leaves out, how long it waits, what is left when it breaks off."""

import argparse
import csv
import itertools
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from benchmarks import gpu, gpu_machine
from benchmarks.gpu_stages import ROOT, Stage


@pytest.fixture(autouse=True)
def _same_answers_to_signals():
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    for each, answer in before.items():
        signal.signal(each, answer)


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Return a function that runs some stages in a work folder, and returns the exit code."""

    def call(*chosen, work="work", options=()):
        monkeypatch.setattr(gpu, "stages", lambda options: chosen)
        return gpu.main(["--work", str(tmp_path / work), "--out", str(tmp_path / "out"), *options])

    return call


def stage(name, code, seconds=20):
    return Stage(name, seconds, ["-c", code])


def traced(name, tmp_path, then=""):
    """Return a stage that adds its name to the file `trace`."""
    return stage(name, f"print({name!r}, file=open({str(tmp_path / 'trace')!r}, 'a'), flush=True); {then}")


def trace(tmp_path):
    return (tmp_path / "trace").read_text().split()


def record(tmp_path, name, work="work"):
    return json.loads((tmp_path / work / "stages" / f"{name}.json").read_text())


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_is_done_is_left_out_and_what_failed_runs_again(call, tmp_path, capsys):
    parts = traced("good", tmp_path), traced("bad", tmp_path, "raise SystemExit('it went wrong')")
    assert call(*parts) == 1
    assert "bad: failed" in capsys.readouterr().out
    assert call(*parts) == 1
    assert trace(tmp_path) == ["good", "bad", "bad"]
    said = capsys.readouterr().out
    assert "good: done before" in said
    assert "1 of 2 stages done" in said
    assert record(tmp_path, "bad")["said"] == ["it went wrong"] * 2
    assert record(tmp_path, "bad")["calls"] == 2
    assert call(*parts, options=["--only", "good"]) == 0


def test_a_stage_that_takes_too_long_is_stopped_and_the_next_begins(call, tmp_path):
    assert call(stage("slow", "import time; time.sleep(60)", seconds=0.3), traced("next", tmp_path)) == 0
    assert record(tmp_path, "slow")["status"] == "stopped"
    assert trace(tmp_path) == ["next"]


def test_what_is_stopped_takes_along_all_that_it_began(tmp_path):
    path = tmp_path / "child"
    code = "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    code += f"open({str(path)!r}, 'w').write(str(child.pid)); child.wait()"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL, start_new_session=True)
    wait_for(lambda: path.exists() and path.read_text())
    assert not gpu.ended(process, 0.01)
    wait_for(lambda: not lives(int(path.read_text())))


@pytest.mark.parametrize(
    ("calls", "seconds", "limit"),
    [
        pytest.param(0, 570, 100, id="its own at first"),
        pytest.param(2, 570, 300, id="longer after two calls in which it was stopped"),
        pytest.param(9, 570, 555, id="never more than the call has, less a grace"),
    ],
)
def test_the_limit_of_a_stage(calls, seconds, limit, call, tmp_path, monkeypatch):
    gpu_machine.write(tmp_path / "work/stages/long.json", {"status": "stopped", "calls": calls, "seconds": 1})
    found = []
    monkeypatch.setattr(gpu, "run", lambda *arguments: found.append(arguments[3]))
    monkeypatch.setattr(gpu, "publish", lambda *_: None)
    call(stage("long", "", seconds=100), options=["--seconds", str(seconds)])
    assert found == [pytest.approx(limit, abs=2)]


def test_nothing_begins_without_time(call, tmp_path, monkeypatch, capsys):
    clock = itertools.count(step=20)
    monkeypatch.setattr(gpu.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(gpu, "run", lambda *_: "done")
    monkeypatch.setattr(gpu, "publish", lambda *_: None)
    assert call(stage("first", ""), stage("second", ""), options=["--seconds", "60"]) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("second: no time left")


def test_the_number_reaches_the_study(call, tmp_path):
    gpu_machine.write_rows(
        tmp_path / "work/stacking.json",
        [{"together": 3, "ms_per_fit_and_step": 1.0, "s_per_chunk": 1.0, "studies": "korzeniowski-vgg"}],
    )
    code = "import sys; print(sys.argv[1:])"
    assert call(Stage("korzeniowski-vgg-1-seeds", 9, ["-c", code, "--together", "{together}", "{work}/results"])) == 0
    given = ["--together", "3", str(tmp_path / "work" / "results")]
    assert record(tmp_path, "korzeniowski-vgg-1-seeds")["said"] == [str(given)]


def test_rows_of_another_machine_are_measured_again(tmp_path, monkeypatch):
    path = tmp_path / "stacking.json"
    assert gpu_machine.rows_from_here(path) == []
    gpu_machine.write_rows(path, [{"together": 1}])
    assert gpu_machine.rows_from_here(path) == [{"together": 1}]
    monkeypatch.setattr(gpu_machine, "machine", lambda: {"card": "another"})
    assert gpu_machine.rows_from_here(path) == []


def test_every_figure_comes_with_card_versions_and_command(call, tmp_path):
    gpu_machine.write_rows(tmp_path / "work/step-jax.json", [{"ms": 1.0}], device="gpu:0")
    call(stage("any", "print('hello')"))
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    benchmark = summary["benchmarks"]["step-jax"]
    assert set(benchmark) == {"machine", "device", "command", "rows"}
    for machine in (summary["machine"], benchmark["machine"], *summary["stages"][0]["machines"]):
        assert machine["card"]
        assert machine["versions"]["keras"]
    assert summary["stages"][0]["command"] == """KERAS_BACKEND=jax python -c 'print('"'"'hello'"'"')'"""
    with (tmp_path / "out" / "step-jax.csv").open() as file:
        assert next(csv.DictReader(file))["card"] == summary["machine"]["card"]


def test_the_archive_is_a_work_folder_to_go_on_with(call, tmp_path, capsys):
    (tmp_path / "work" / "results" / "unfinished").mkdir(parents=True)
    (tmp_path / "work" / "results" / "unfinished" / "large.npz").touch()
    assert call(traced("one", tmp_path)) == 0
    with tarfile.open(tmp_path / "out" / "work.tar.gz") as archive:
        archive.extractall(tmp_path / "elsewhere", filter="data")
    assert not list((tmp_path / "elsewhere").rglob("*.npz"))
    assert call(traced("one", tmp_path), work="elsewhere/work") == 0
    assert trace(tmp_path) == ["one"]
    assert "one: done before" in capsys.readouterr().out


@pytest.mark.parametrize(("code", "exit_code"), [("raise SystemExit('no CUDA')", 1), ("", 0)])
def test_a_cpu_is_not_measured_in_place_of_a_card(code, exit_code, call, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(gpu, "machine", lambda: {"card": "NVIDIA X"})
    monkeypatch.setattr(gpu_machine, "USE_THE_CARD", {"jax": "", "torch": code})
    assert call(traced("one", tmp_path)) == exit_code
    assert (tmp_path / "trace").exists() == (exit_code == 0)
    if exit_code:
        assert "gpu.sh: error: there is a GPU, but torch cannot use it\n" in capfd.readouterr().err


def test_wheels_are_installed_once_and_anew_when_they_are_others(tmp_path, monkeypatch):
    options, exit_codes, installed = argparse.Namespace(work=tmp_path, wheels=tmp_path), iter([1, 0, 0]), []

    def pip(command, check):
        Path(command[command.index("--target") + 1]).mkdir(parents=True, exist_ok=True)  # also when it fails
        installed.append([Path(word).name for word in command if word.endswith(".whl")])
        subprocess.CompletedProcess(command, next(exit_codes)).check_returncode()

    monkeypatch.setattr(gpu.subprocess, "run", pip)
    (tmp_path / "a.whl").touch()
    with pytest.raises(subprocess.CalledProcessError):
        gpu.installed(options)
    assert gpu.installed(options) == gpu.installed(options)
    (tmp_path / "b.whl").touch()
    gpu.installed(options)
    assert installed == [["a.whl"], ["a.whl"], ["a.whl", "b.whl"]]


def begun(tmp_path, *stages):
    """Return a running call, a process group of its own, once its first stage runs."""
    code = "import sys; from benchmarks import gpu, gpu_stages; from benchmarks.gpu_stages import Stage;"
    code += f"gpu.stages = lambda options: {list(stages)!r}; sys.exit(gpu.main(sys.argv[1:]))"
    options = ["--work", str(tmp_path / "work"), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *options], cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for((tmp_path / "trace").exists)
    return process


def endless(tmp_path):
    """Return a stage that notes its process and goes on until it is stopped, the first time."""
    path = str(tmp_path / "pid")
    code = f"import os, time; again = os.path.exists({path!r}); open({path!r}, 'w').write(str(os.getpid())); "
    return stage("endless", f"{code}open({str(tmp_path / 'trace')!r}, 'a').close(); time.sleep(0 if again else 60)")


def lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return state.strip()[:1] not in ("", "Z")  # a zombie waits for its new parent only


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a stage with its parent")
def test_a_killed_call_leaves_no_stage_behind_and_the_next_goes_on(call, tmp_path):
    process = begun(tmp_path, endless(tmp_path))
    wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    wait_for(lambda: not lives(int((tmp_path / "pid").read_text())))
    assert record(tmp_path, "endless")["status"] == "running"
    assert call(endless(tmp_path)) == 0
    assert (record(tmp_path, "endless")["status"], record(tmp_path, "endless")["calls"]) == ("done", 2)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_call_keeps_what_is_known_and_says_so(sent, call, tmp_path):
    process = begun(tmp_path, endless(tmp_path))
    process.send_signal(sent)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert said.splitlines() == ["gpu.sh: interrupted; the same command goes on from here"]
    wait_for(lambda: not lives(int((tmp_path / "pid").read_text())))
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert [each["status"] for each in summary["stages"]] == ["stopped"]
    assert call(endless(tmp_path)) == 0


def test_two_calls_do_not_share_a_folder(call, tmp_path, capsys):
    process = begun(tmp_path, endless(tmp_path))
    assert call(traced("other", tmp_path)) == 1
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert capsys.readouterr().err == f"gpu.sh: error: another call is at work in {tmp_path / 'work'}\n"
    assert trace(tmp_path) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(["--data-dir", "no/such"], "the data folder {here}/no/such does not exist", id="no data"),
        pytest.param(["--wheels", "no/such"], "there are no wheels in {here}/no/such", id="no wheels"),
        pytest.param(["--only", "nonsense"], "there is no stage 'nonsense'; there are only", id="no such stage"),
        pytest.param(["--work", "file/work"], "the folder {here}/file/work cannot be made: Not a directory", id="work"),
        pytest.param(["--out", "file"], "the folder {here}/file cannot be made: File exists", id="out"),
        pytest.param(["--seconds", "5"], "--seconds must be more than 25, not 5", id="no time at all"),
    ],
)
def test_bad_usage_is_one_clear_line(options, said, call, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as ended:
        call(stage("only", ""), options=options)
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"gpu.sh: error: {said.format(here=tmp_path)}"


def test_a_folder_that_may_not_be_written_is_bad_usage(call, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gpu.os, "access", lambda *_: False)  # root, who may write anywhere, runs tests too
    with pytest.raises(SystemExit) as ended:
        call(stage("only", ""))
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"gpu.sh: error: nothing may be written into {tmp_path / 'work'}\n")
