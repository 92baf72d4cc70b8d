"""What `benchmarks/gpu.sh` does in which order, and how many replicas it trains together."""

import argparse
import json

import pytest

from benchmarks.gpu_stages import ROOT, Stage, pays, stages, together


def all_stages(**options):
    return stages(argparse.Namespace(**{"small": False, "data_dir": None, **options}))


def test_what_is_most_important_comes_first():
    names = [each.name for each in all_stages()]
    assert names == [
        *("tests-jax", "tests-torch", "step-jax", "step-torch", "mcgill-logistic", "mcgill-feedforward", "stacking"),
        "mcgill-cifarnet-10-seeds",
        *(f"korzeniowski-{name}-1-seeds" for name in ("cifarnet", "smallvgg", "vgg")),
        *(f"korzeniowski-{name}-5-seeds" for name in ("cifarnet", "smallvgg", "vgg")),
    ]


def test_the_tests_of_the_optimizers_are_those_of_make():
    jax, torch = all_stages()[:2]
    assert "tests/test_replicas.py" in jax.arguments
    for each in (jax, torch):
        files = [name for name in each.arguments if name.startswith("tests/")]
        assert {"tests/test_rules.py", "tests/test_sparse.py", "tests/test_contract.py"} <= set(files)
        assert [name for name in files if not (ROOT / name).exists()] == []


def test_small_is_small_everywhere():
    small = all_stages(small=True)
    assert [each.name for each in small] == [each.name for each in all_stages()]
    for each in small:
        words = " ".join(each.arguments)
        assert "--small" in words or "--scale smoke" in words or "tests/test_optimizers.py" in words


def row(together, ms, chunk=10.0, studies="korzeniowski-vgg"):
    return {"together": together, "ms_per_fit_and_step": ms, "s_per_chunk": chunk, "studies": studies}


@pytest.mark.parametrize(
    ("rows", "number"),
    [
        pytest.param([], 1, id="nothing measured"),
        pytest.param([row(1, 3.0), row(4, 2.0), row(12, 2.5)], 4, id="where a step of a fit takes least"),
        pytest.param([row(1, 3.0), row(12, 2.0, chunk=900)], 1, id="a chunk must end within a call"),
        pytest.param([row(4, 3.0, chunk=900)], 1, id="all take too long"),
        pytest.param([row(1, 3.0), row(4, 1.0, studies="korzeniowski-smallvgg")], 1, id="of this network only"),
        pytest.param([row(4, 1.0, studies="mcgill-cifarnet korzeniowski-vgg")], 4, id="one of several studies"),
    ],
)
def test_as_many_train_together_as_was_measured_to_be_best(rows, number, tmp_path):
    measured = tmp_path / "stacking.json"
    measured.write_text(json.dumps({"rows": rows}))
    assert together(Stage("korzeniowski-vgg-5-seeds", 1, []), measured, 570) == number
    assert together(Stage("korzeniowski-vgg-5-seeds", 1, []), tmp_path / "none", 570) == 1


@pytest.mark.parametrize(
    ("taken", "more"), [([], True), ([2.0], True), ([2.0, 2.9], True), ([2.0, 3.1], False), ([3.0, 1.0, 1.6], False)]
)
def test_stacking_is_tried_further_while_it_is_not_clearly_slower(taken, more):
    assert pays(taken) == more
