"""Weights of classes in comparisons of one's own: in the loss of training alone, by both engines as by `fit`."""

import keras
import numpy as np
import pytest

import studies
from keras_amsgrad import Adam
from keras_amsgrad.order import epoch_order
from studies.command_line.main import main
from studies.data import own
from studies.errors import StudyError
from tests.own_models import HERE, QUICK, digits, small

WEIGHTS = {0: 4.0, 3: 0.5, 7: 0.0}


@pytest.fixture(scope="module", params=["replicas", "gridsearch"])
def runs(request, tmp_path_factory):
    """The runs of a comparison with `WEIGHTS` on two thirds of the digits; the rest is the test set."""
    x, y = digits()
    out = tmp_path_factory.mktemp(request.param)
    own = {"engine": request.param, "class_weight": WEIGHTS, "out": out, "verbose": 0, **QUICK}
    return studies.compare(small, x[:130], y[:130], x[130:], y[130:], **own).runs


def test_losses_are_those_of_fit(runs):
    x, y = digits()
    keras.utils.set_random_seed(1)
    model, order = small(), epoch_order(1, 0, 130)
    model.compile(Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    arguments = {
        "batch_size": 32,
        "shuffle": False,
        "class_weight": WEIGHTS | dict.fromkeys({*range(10)} - {*WEIGHTS}, 1.0),
    }
    history = model.fit(x[order], y[order], validation_data=(x[130:], y[130:]), verbose=0, **arguments).history
    row = runs[(runs["stage"] == "repeat") & (runs["optimizer"] == "Adam") & (runs["seed"] == 1)].iloc[0]
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(
            row[name if name.startswith("val") else f"train_{name}"], history[name][0], rtol=1e-4
        )


@pytest.mark.parametrize(
    ("weights", "found"),
    [
        ("balanced", (16 / (2 * 12), 16 / (2 * 4))),
        ({"cat": 3}, (3.0, 1.0)),
        ({"dog": 0, "cat": 2.5}, (2.5, 0.0)),
    ],
)
def test_weights_are_given_by_label(weights, found):
    labels, x = np.array(["cat"] * 12 + ["dog"] * 4), np.arange(32.0).reshape(16, 2)
    data = own.dataset("mine", x, labels, x, labels, class_weight=weights)[0]
    assert data.class_weight == pytest.approx(found)
    assert data.fingerprint != own.dataset("mine", x, labels, x, labels)[0].fingerprint


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"cow": 1}, "class_weight has the label 'cow'; y_train has 0, 1."),
        ({0: -1}, "class_weight must be 0 or more, not -1 as for the label 0."),
        ({0: "two"}, "class_weight must be 0 or more, not 'two' as for the label 0."),
        ([1, 2], 'class_weight must be "balanced" or {label: weight}, not [1, 2].'),
    ],
)
def test_other_weights_are_refused(weights, said):
    x, y = np.arange(32.0).reshape(16, 2), np.arange(16) % 2
    with pytest.raises(StudyError) as error:
        own.dataset("mine", x, y, class_weight=weights)
    assert str(error.value) == said


def test_a_regression_has_no_classes_to_weigh():
    x = np.arange(32.0).reshape(16, 2)
    with pytest.raises(StudyError, match="class_weight is for one label a row"):
        own.dataset("mine", x, x[:, 0] + 0.5, class_weight="balanced")


def test_the_report_states_weights_and_the_command_repeats_them(tmp_path):
    x, y = digits()
    np.savez(tmp_path / "digits.npz", x_train=x, y_train=y)
    sizes = ["--grid", "learning_rate=0.01", "--seeds", "1", "--epochs", "1", "--out", str(tmp_path)]
    command = ["compare", f"{HERE}:small", "--data", str(tmp_path / "digits.npz"), "--class-weight", "0=4,7=0"]
    assert main([*command, *sizes]) == 0
    page = (tmp_path / "report.html").read_text()
    assert "a row of the classes 0, 1, ... counts 4, 1, 1, 1, 1, 1, 1, 0, 1, 1" in page
    assert "--class-weight 0=4,7=0" in page


def test_a_weight_that_is_no_number_ends_with_code_2(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["compare", f"{HERE}:small", "--data", "none.npz", "--class-weight", "0:4"])
    assert ended.value.code == 2
    assert "must be balanced, or as cat=1,dog=5, not '0:4'" in capsys.readouterr().err
