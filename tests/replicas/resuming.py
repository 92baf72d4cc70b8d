"""What tests of `resume` share: searches that are interrupted, and what they train."""

import keras
import numpy as np
import pytest

from keras_amsgrad.model_selection.kept_fits import KeptFits

RATES = [0.001, 0.003, 0.01, 0.03, 0.1]


def interrupted_after(number, monkeypatch, search, *data):
    """Run a search that Ctrl-C ends when it has kept so many fits."""
    write, written = KeptFits.write, []

    def writes(*arguments, **settings):
        if len(written) == number:
            raise KeyboardInterrupt
        written.append(write(*arguments, **settings))

    with monkeypatch.context() as patched:
        patched.setattr(KeptFits, "write", writes)
        with pytest.raises(KeyboardInterrupt):
            search.fit(*data)


def records(folder):
    """Return the bytes of every record of a fit, by name. They hold seconds, so that a second training would show."""
    return {path.name: path.read_bytes() for path in folder.glob("fits/*.npz")}


def assert_identical(mine, theirs):
    """Assert that two searches have the same results to the bit, times apart."""
    assert list(mine.cv_results_) == list(theirs.cv_results_)
    for name, values in theirs.cv_results_.items():
        if "time" not in name:
            np.testing.assert_array_equal(mine.cv_results_[name], values, err_msg=name)
    assert mine.best_index_ == theirs.best_index_


def weights(search):
    """Return the weights of the refitted network."""
    last = getattr(search.best_estimator_, "steps", [(None, search.best_estimator_)])[-1][1]
    return [keras.ops.convert_to_numpy(variable) for variable in last.model_.variables]
