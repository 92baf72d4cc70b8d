"""The command line, used rightly and wrongly: one clear line, the right exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from studies.catalog import STUDIES
from studies.command_line.main import main
from studies.startup import FULL_FLOAT32, without_notes


def test_list_names_every_study(capsys):
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in STUDIES)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required: COMMAND"),
        (["run"], "required: NAME"),
        (["run", "mcgill"], "no study 'mcgill'; there are digits,"),
        (["run", "digts"], "no study 'digts'; did you mean digits?"),
        (["run", "digits", "--seeds", "0"], "--seeds: must be a whole number of at least 1, not '0'"),
        (["run", "digits", "--epochs", "many"], "--epochs: must be a whole number"),
        (["run", "digits", "--scale", "huge"], "--scale: invalid choice"),
        (["run", "digits", "--search", "published"], "no source reports settings for digits"),
        (["run", "digits", "--engine", "replicas", "--jobs", "2"], "keeps all cores busy; leave out --jobs"),
        (["run", "synthetic-mod3", "--epochs", "3"], "synthetic-mod3 has no epochs"),
        (["run", "synthetic-online", "--seeds", "3"], "synthetic-online has no seeds"),
    ],
)
def test_bad_usage_ends_with_code_2(arguments, said, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["report", "--out", "{tmp}"], "holds no study. Run one first"),
        (["export", "--out", "{tmp}/nowhere"], "holds no study. Run one first"),
        (["run", "mcgill-logistic", "--data-dir", "{tmp}/nowhere"], "nowhere does not exist"),
    ],
)
def test_a_failed_study_ends_with_code_1_and_one_line(arguments, said, tmp_path, capsys):
    assert main([argument.format(tmp=tmp_path) for argument in arguments]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error


def test_a_synthetic_study_runs_reports_and_exports(tmp_path):
    assert main(["run", "synthetic-mod3", "--scale", "smoke", "--out", str(tmp_path)]) == 0
    assert main(["report", "--out", str(tmp_path)]) == 0
    assert main(["export", "--out", str(tmp_path)]) == 0
    lines = (tmp_path / "paths.csv").read_text().splitlines()
    assert lines[0] == "study,variant,optimizer,seed,t,x,average_regret,gamma_min,negative_gamma,largest_step"
    assert lines[1].startswith("synthetic-mod3,C=3,Adam,0,1,0.0,3.0")


def test_report_and_export_never_import_keras(tmp_path):
    assert main(["run", "synthetic-mod3", "--scale", "smoke", "--out", str(tmp_path)]) == 0
    program = "import sys; from studies.__main__ import main; out = ['--out', sys.argv[1]]; "
    program += "sys.exit(main(['report', *out]) or main(['export', *out]) or ('keras' in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode == 0


def test_the_backend_starts_without_a_word():
    program = "import studies.startup, sys; studies.startup.import_keras(); sys.exit('keras' not in sys.modules)"
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=quiet, check=True)
    assert done.stderr == ""


def test_a_study_multiplies_in_full_float32_unless_told_otherwise():
    program = "import os, studies.startup; studies.startup.import_keras(); "
    program += "print([os.environ[name] for name in studies.startup.FULL_FLOAT32])"
    bare = {name: value for name, value in os.environ.items() if name not in FULL_FLOAT32}
    for given, expected in ({}, "['highest', '0']"), ({"JAX_DEFAULT_MATMUL_PRECISION": "high"}, "['high', '0']"):
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, capture_output=True, text=True, env=bare | given, check=True)
        assert done.stdout.strip() == expected


def test_what_is_no_note_still_reaches_standard_error(capfd):
    @without_notes()
    def starting():
        os.write(2, b"I0000 00:00:1795570970.271022   12342 port.cc:153] oneDNN custom operations are on.\n")
        os.write(2, b"E0000 00:00:1795570970.271022   12342 cuda.cc:1] no memory\n")
        print("a warning of Python's", file=sys.__stderr__)
        raise ImportError

    with pytest.raises(ImportError):
        starting()
    said = "E0000 00:00:1795570970.271022   12342 cuda.cc:1] no memory\na warning of Python's\n"
    assert capfd.readouterr().err == said


def test_a_run_begins_without_the_notes_of_tensorflow(tmp_path):
    """Whatever imports Keras first does so where its notes are held back."""
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "studies", "run", "digits", "--out", str(tmp_path / "file")]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.stderr.startswith("studies: error: The results folder")
    assert done.stderr.count("\n") == 1
