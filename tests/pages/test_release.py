"""What a release is made of: one version, addresses from one setting, and files that other programs read."""

import configparser
import doctest
import importlib.util
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
import yaml

import keras_amsgrad

ROOT = Path(__file__).parents[2]
HOME = "https://example.org/somebody/keras_amsgrad"
TEMPLATES = sorted(
    set((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")) - {ROOT / ".github/ISSUE_TEMPLATE/config.yml"}
)

spec = importlib.util.spec_from_file_location("build_release", ROOT / "release" / "build.py")
building = importlib.util.module_from_spec(spec)
spec.loader.exec_module(building)


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def settings():
    found = configparser.ConfigParser(interpolation=None)
    found.read(ROOT / "setup.cfg", encoding="utf-8")
    return found


def test_the_examples_in_the_release_script_run():
    done = doctest.testmod(building)
    assert done.attempted >= 4
    assert done.failed == 0


def test_the_version_stands_in_one_place_and_the_others_follow():
    assert settings()["metadata"]["version"] == "attr: keras_amsgrad.__version__"
    assert building.version() == keras_amsgrad.__version__
    assert yaml.safe_load(read("CITATION.cff"))["version"] == keras_amsgrad.__version__
    headings = re.findall(r"^## (.+)$", read("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert headings[1].split()[0] == keras_amsgrad.__version__


@pytest.fixture(scope="module", params=[HOME, ""], ids=["with a home", "without a home"])
def copied(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    building.copy_for_release(folder, request.param)
    return request.param, folder


def test_links_of_the_long_description_are_absolute_where_there_is_a_home(copied):
    home, folder = copied
    page = re.sub(r"^```.*?^```", "", (folder / "README.md").read_text(), flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r"(!?)\[[^\]]*\]\(([^)]+)\)", page)
    assert len(links) > 10
    if home:
        tag = f"v{keras_amsgrad.__version__}"
        for picture, address in links:
            assert address.startswith(f"{HOME}/{'raw' if picture else 'blob'}/{tag}/")
            assert (ROOT / address.partition(f"/{tag}/")[2].partition("#")[0]).exists()
    else:
        assert all((ROOT / address.partition("#")[0]).exists() for _, address in links)


def test_the_long_description_installs_from_the_index_and_the_studies_from_a_checkout(copied):
    page = (copied[1] / "README.md").read_text()
    assert re.findall(r"^    (pip install .*)$", page, re.MULTILINE) == [
        'pip install "keras_amsgrad[tensorflow]"',
        'pip install "keras_amsgrad[search]"',
        'pip install --editable ".[studies]"',
    ]


def test_addresses_come_from_the_one_setting(copied):
    home, folder = copied
    text = (folder / "setup.cfg").read_text()
    assert set(re.findall(r"https://[^/\s]+/\S*/keras_amsgrad", text)) == ({HOME} if home else set())
    assert "project_urls" not in read("setup.cfg")


@pytest.mark.slow
@pytest.mark.parametrize("home", [HOME, ""], ids=["with a home", "without a home"])
def test_what_is_built_passes_the_checks_of_the_index(home, tmp_path):
    for package in ("build", "twine"):
        pytest.importorskip(package)
    (tmp_path / "copy").mkdir()
    building.copy_for_release(tmp_path / "copy", home)
    subprocess.run([sys.executable, "-m", "build", "--outdir", tmp_path / "dist", tmp_path / "copy"], check=True)
    built = sorted((tmp_path / "dist").iterdir())
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *built], check=True)
    (wheel,) = (path for path in built if path.suffix == ".whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = message_from_bytes(archive.read(name))
    assert metadata["Version"] == keras_amsgrad.__version__
    assert {"Development Status :: 4 - Beta", "Typing :: Typed"} <= set(metadata.get_all("Classifier"))
    addresses = metadata.get_all("Project-URL") or []
    assert len(addresses) == (3 if home else 0)
    assert [name for name in metadata.get_all("Requires-Dist") if "extra ==" not in name] == [
        "keras>=3.13.2",
        "numpy>=2.1",
    ]
    (source,) = (path for path in built if path.name.endswith(".tar.gz"))
    with tarfile.open(source) as archive:
        assert any(name.endswith("/keras_amsgrad/__init__.py") for name in archive.getnames())


def test_a_tag_publishes_without_a_token_after_the_wheel_was_built_and_tried():
    text = read(".github/workflows/publish.yml")
    jobs = yaml.safe_load(text)["jobs"]
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert jobs["publish"]["needs"] == "build"
    assert "secrets." not in text
    targets = re.findall(r"run: make (\S+)", text)
    assert targets == ["wheel", "release"]
    for target in targets:
        subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)


def test_the_workflow_refuses_a_tag_of_another_version():
    steps = yaml.safe_load(read(".github/workflows/publish.yml"))["jobs"]["build"]["steps"]
    (check,) = (step["run"] for step in steps if step.get("name") == "The tag is the version")
    for tag, passes in ((f"v{keras_amsgrad.__version__}", True), ("v9.9.9", False)):
        done = subprocess.run(["sh", "-c", check], cwd=ROOT, env={"GITHUB_REF_NAME": tag, "PATH": "/usr/bin:/bin"})
        assert (done.returncode == 0) == passes


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_issues_are_asked_for_backend_and_versions(path):
    form = yaml.safe_load(path.read_text())
    labels = " ".join(field["attributes"]["label"] for field in form["body"]).lower()
    assert {"name", "description", "body"} <= set(form)
    assert "versions" in labels
    assert "backend" in labels
    ids = [field["id"] for field in form["body"]]
    assert len(ids) == len(set(ids))


def test_the_docker_image_runs_make_study_and_what_it_calls_exists():
    lines = read("Dockerfile").splitlines()
    (command,) = (json.loads(line[4:]) for line in lines if line.startswith("CMD "))
    assert command == ["make", "study"]
    (targets,) = (line.split()[2:] for line in lines if line.startswith("RUN make "))
    assert targets == [".venv/studies.installed", ".venv/gpu.installed"]
    environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}  # of a make around this
    subprocess.run(["make", "-n", *targets], cwd=ROOT, check=True, capture_output=True, env=environment)
    assert "gpu" in settings()["options.extras_require"]
