"""Models and arrays that a user brings: found, told apart, checked; and what is refused, each in one line."""

import keras
import numpy as np
import pytest

import studies
from studies.data import own as data
from studies.errors import StudyError
from studies.networks import checks
from studies.networks import own as models
from tests import own_models
from tests.own_models import HERE, QUICK, digits, small


def test_a_model_is_known_by_what_it_builds(monkeypatch):
    first = models.identified(f"{HERE}:small")
    assert models.identified(f"{HERE}:small") == first  # though Keras names its layers anew
    monkeypatch.setattr(own_models, "UNITS", 9)
    assert models.identified(f"{HERE}:small") != first
    with pytest.raises(StudyError, match="does not build the same model every time"):
        models.network(first)


def test_the_code_of_a_layer_of_ones_own_belongs_to_the_model(monkeypatch):
    first = models.identified(f"{HERE}:with_own_layer")
    monkeypatch.setattr("inspect.getsource", lambda kind: "another")
    assert models.identified(f"{HERE}:with_own_layer") != first


def test_a_function_that_has_no_name_to_import_can_be_compared():
    name = models.named(lambda: small())
    assert models.built(name).output_shape == (None, 10)


def test_a_name_is_what_can_be_imported_also_after_an_object_of_that_name(monkeypatch):
    models.named(small)
    monkeypatch.setattr(own_models, "small", own_models.linear)
    name = f"{HERE}:small"
    assert models.built(models.named(name)).layers[-1].activation is keras.activations.linear


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("no_such_module:small", "The module no_such_module cannot be imported: ModuleNotFoundError"),
        (f"{HERE}:nothing", f"There is no nothing in the module {HERE}"),
        (f"{HERE}:NO_FUNCTION", "must be a function that builds the model, not a int"),
        (f"{HERE}:broken", "broken fails: ValueError"),
        (f"{HERE}:digits", "must return a Keras model, not a tuple"),
        (f"{HERE}:words", r"takes rows of shape \(None,\); those of x_train have shape \(8, 8\)"),
        (f"{HERE}:linear", "not probabilities: end it in a softmax, or say from_logits"),
        (3, "must be a function that builds the model, not a int"),
        (small(), r"The model must be a function that builds the model, not a model \(Sequential\): .*clone_model"),
        (f"{HERE}:A_MODEL", "A_MODEL must be a function that builds the model, not a model"),
        (f"{HERE}:smal", "There is no smal in the module .*; did you mean small?"),
        (f"{HERE}.small", f"must be MODULE:FUNCTION, .*; did you mean {HERE}:small?"),
        ("tests/own_models.py:small", "Write the module without .py: tests.own_models:small"),
    ],
)
def test_a_model_that_cannot_be_compared_is_refused_in_one_line(model, said, tmp_path):
    x, y = digits()
    x = x.reshape(-1, 8, 8) if model == f"{HERE}:words" else x
    with pytest.raises(StudyError, match=said) as refused:
        studies.compare(model, x, y, out=tmp_path / "out", **QUICK)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("activation", "from_logits", "said"),
    [
        ("sigmoid", True, "is a probability already: leave out from_logits"),
        ("softmax", True, "is always 1, as a softmax of one output is: end it in a sigmoid"),
        ("linear", False, "is not a probability: end it in a sigmoid"),
        ("softmax", False, "is always 1, as a softmax of one output is: end it in a sigmoid"),
    ],
)
def test_one_output_must_be_a_probability_of_two_classes(activation, from_logits, said):
    name = models.named(lambda: own_models.one_output(activation))
    x = np.random.default_rng(0).normal(size=(32, 64)).astype("float32")
    model = models.built(name)
    outputs = checks.outputs_of(name, model, x)
    with pytest.raises(StudyError, match=said):
        checks.check_classifier(name, model, outputs, 2, from_logits)
    with pytest.raises(StudyError, match=r"for each of the 3 classes, \(None, 3\), not in \(None, 1\)"):
        checks.check_classifier(name, model, outputs, 3, from_logits)


def test_outputs_must_match_the_classes_and_tokens_the_embedding():
    with pytest.raises(StudyError, match=r"one output for each of the 3 classes, \(None, 3\), not in \(None, 10\)"):
        checks.check_classifier("small", own_models.small(), np.zeros((4, 10), "float32"), 3)
    with pytest.raises(StudyError, match="takes 0 to 49; x_train holds 0 to 50"):
        checks.outputs_of("words", own_models.words(), np.array([[0, 50]]))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"y_train": np.arange(12.0)}, "every label in 3 rows at least, .*; label 0 has 1"),
        ({"y_train": np.zeros(12, int), "y_test": np.zeros(4, int)}, "holds one class only, 0;"),
        ({"y_train": np.repeat([0, 1], [2, 10])}, "every label in 3 rows at least, for the folds .*; label 0 has 2"),
        ({"y_train": np.repeat([0, 1], 5)}, "the same number of rows, not 12 and 10"),
        ({"y_train": np.zeros(0)}, "y_train holds no labels"),
        ({"x_train": np.full((12, 2), "a")}, "x_train must hold numbers, not <U1: row 0, column 0 holds a"),
        ({"x_train": np.arange(12)}, r"\(rows, ...\), not \(12,\): of one feature take .reshape\(-1, 1\)"),
        ({"x_test": np.zeros((4, 3))}, r"rows of shape \(2,\) as x_train does, not \(3,\)"),
        ({"y_test": None}, "x_test and y_test come together"),
    ],
)
def test_arrays_that_cannot_be_compared_are_refused_by_name(changes, said):
    good = {"x_train": np.zeros((12, 2)), "y_train": np.repeat([0, 1], 6)}
    good |= {"x_test": np.zeros((4, 2)), "y_test": np.repeat([0, 1], 2)}
    with pytest.raises(StudyError, match=said) as refused:
        data.dataset("mine", **good | changes)
    assert "\n" not in str(refused.value)


def test_without_a_test_set_a_stratified_quarter_is_held_out():
    found, _ = data.dataset("mine", np.arange(80.0).reshape(40, 2), np.repeat([0, 1, 2], [20, 12, 8]))
    assert np.bincount(found.y_test).tolist() == [5, 3, 2]
    assert not {*map(tuple, found.x_train)} & {*map(tuple, found.x_test)}


def test_files_that_hold_no_such_arrays_are_refused_by_name(tmp_path):
    np.savez(tmp_path / "other.npz", images=np.zeros(3))
    np.savez(tmp_path / "objects.npz", x_train=np.array([{}]), y_train=np.zeros(1))
    (tmp_path / "text.npz").write_text("no arrays")
    np.save(tmp_path / "one.npy", np.zeros(3))
    for name, said in {
        "nothing.npz": "nothing.npz does not exist",
        "other.npz": "must hold the arrays x_train and y_train; it holds images",
        "objects.npz": r"objects.npz holds x_train as Python objects, which are not read: save x_train.astype\(str\)",
        "othr.npz": "othr.npz does not exist; did you mean other.npz?",
        "text.npz": "text.npz is not a whole .npz file",
        "one.npy": "one.npy is not a whole .npz file",
    }.items():
        with pytest.raises(StudyError, match=said):
            data.read(tmp_path / name)
