"""Labels and inputs of many forms: what they become, what is said of it, and what is refused, by row and column."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from studies.data import own as data
from studies.data.inputs import inputs
from studies.data.labels import classes
from studies.errors import StudyError

CODES = np.tile([0, 1, 2], 5)
ONE_HOT = np.eye(3)[CODES]
WORDS = np.array(["ant", "bee", "cat"])[CODES]
THREE = "classes: ant = 0, bee = 1, cat = 2."


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        pytest.param(CODES, "", id="classes"),
        pytest.param(CODES.astype("uint8"), "", id="bytes"),
        pytest.param(CODES.tolist(), "", id="list"),
        pytest.param(pd.Series(CODES), "", id="Series"),
        pytest.param(CODES + 1, "(integers) became classes: 1 = 0, 2 = 1, 3 = 2.", id="1..k"),
        pytest.param(10 * CODES - 10, "(integers) became classes: -10 = 0, 0 = 1, 10 = 2.", id="negative"),
        pytest.param(CODES.astype(float), "(whole floats) became classes: 0 to 2.", id="floats"),
        pytest.param(CODES[:, None], "(integers, one column) became classes: 0 to 2.", id="column"),
        pytest.param(pd.DataFrame({"y": CODES}), "(integers, one column) became classes: 0 to 2.", id="DataFrame"),
        pytest.param(ONE_HOT, "(one-hot) became classes: 0 to 2.", id="one-hot"),
        pytest.param(ONE_HOT.astype(bool), "(one-hot) became classes: 0 to 2.", id="one-hot booleans"),
        pytest.param(pd.get_dummies(WORDS), f"(one-hot) became {THREE}", id="dummies"),
        pytest.param(WORDS, f"(strings) became {THREE}", id="strings"),
        pytest.param(WORDS.astype(object), f"(strings) became {THREE}", id="objects"),
        pytest.param(WORDS.tolist(), f"(strings) became {THREE}", id="list of strings"),
        pytest.param(pd.Series(WORDS, dtype="category"), f"(strings) became {THREE}", id="categories"),
        pytest.param(pd.Series(CODES, dtype="Int64"), "", id="nullable"),
    ],
)
def test_labels_become_classes_and_a_line_says_how(labels, said):
    found = classes(labels, labels)
    assert found.train.tolist() == found.test.tolist() == CODES.tolist()
    assert found.train.dtype == "int64"
    assert found.note == (f"Labels of y_train {said}" if said else "")


def test_two_classes_may_be_booleans_or_signs():
    found = classes(np.array([True, False, True]), np.array([1, 0]))
    assert (found.train.tolist(), found.test.tolist()) == ([1, 0, 1], [1, 0])
    assert found.note == "Labels of y_train (booleans) became classes: False = 0, True = 1."
    assert classes([-1, 1, -1]).train.tolist() == [0, 1, 0]


def test_of_many_classes_the_line_names_the_first_and_the_last():
    assert classes(np.arange(1, 101)).note.endswith("became classes: 1 = 0, 2 = 1, 3 = 2, ..., 100 = 99.")


@pytest.mark.parametrize(
    ("labels", "test", "said"),
    [
        (["ant", "bee"], ["ant", "cow"], "y_test holds the label 'cow' in row 1; those of y_train are 'ant', 'bee'."),
        ([1, 2], [0, 1], "y_test holds the label 0 in row 0; those of y_train are 1, 2."),
        (["0", "1"], [0], "y_test holds the label 0 in row 0; those of y_train are '0', '1'."),
        (ONE_HOT, CODES, r"must have the form of y_train, one-hot with the columns 0, 1, 2, not integers"),
        (
            pd.get_dummies(WORDS),
            pd.get_dummies(WORDS[:2]),
            "columns ant, bee, cat, not one-hot with the columns ant, bee",
        ),
        (
            [0.0, 0.5],
            None,
            r"y_train holds 0.5 in row 1: classes are whole .* task=\"regression\" .* np.digitize\(y_train, edges\)",
        ),
        ([0.0, np.nan], None, "y_train holds no label in row 1"),
        ([0, np.inf], None, "y_train holds inf in row 1"),
        (
            [[1, 0], [1, 1]],
            None,
            r"shape \(2, 2\), so it must be one-hot, .* row 1 holds 1, 1. .* task=.multilabel",
        ),
        ([[0.5, 0.5]], None, "row 0 holds 0.5, 0.5"),
        (np.zeros((4, 2, 2)), None, r"\(rows,\), or \(rows, classes\) if one-hot, not \(4, 2, 2\)"),
        (pd.Series(["ant", None]), None, "y_train holds no label in row 1 .*: leave such rows out"),
        (pd.Series([1, None], dtype="Int64"), None, "y_train holds no label in row 1"),
        (np.array(["ant", 3], object), None, r"of one kind, not 'ant' in row 0 and 3 in row 1: y_train.astype\(str\)"),
        (np.array([{}, {}]), None, "row 0 has a dict"),
        (np.array(["2020-01-01"], "datetime64[D]"), None, r"\(integers, strings or booleans\), not datetime64"),
        (3, None, "y_train is a int, not rows"),
    ],
)
def test_labels_that_are_no_classes_are_refused_by_row(labels, test, said):
    with pytest.raises(StudyError, match=said) as refused:
        classes(labels, test)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        ([[1, 2], [3]], r"x_train is a list whose rows differ in shape: .* np.asarray\(x_train\) is one array"),
        (csr_matrix(np.eye(2)), r"x_train is a csr_matrix, which is sparse: give x_train.toarray\(\)"),
        ([[1.0, np.nan]], r"finite numbers \(float32\): row 0, column 1 holds nan, the first of 1 such. Fill them in"),
        ([[1.0], [np.inf]], "row 1, column 0 holds inf"),
        ([[1.0], [1e300]], r"row 1, column 0 holds 1e\+300"),
        (np.full((2, 3, 4), np.nan), r"row 0, at \[0, 0\] holds nan, the first of 24 such"),
        (pd.DataFrame({"age": [1, 2], "size": [3, np.nan]}), "row 1, column size holds nan"),
        (pd.DataFrame({"age": pd.Series([1, None], dtype="Int64")}), "row 1, column age holds nan"),
        (pd.Series([1, np.nan], name="age"), "row 1, column age holds nan"),
        (
            pd.DataFrame({"age": [1], "city": ["Rome"], "day": [pd.Timestamp(0)]}),
            r"The column city \((str|object)\) of x_train holds no numbers, and 1 more: .* pandas.get_dummies",
        ),
        (np.array([[1, "Rome"]], object), r"x_train must hold numbers: row 0, column 1 holds Rome \(str\)"),
        (np.array([[1, None]], object), "row 0, column 1 holds nan"),
        (np.zeros((2, 2), complex), "x_train must hold numbers, not complex128: row 0, column 0 holds 0j"),
    ],
)
def test_inputs_that_are_no_finite_numbers_are_refused_by_row_and_column(x, said):
    with pytest.raises(StudyError, match=said) as refused:
        inputs("x_train", x)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("x", "dtype"),
    [
        ([[1, 2], [3, 4]], "int64"),
        (pd.DataFrame({"a": [1, 3], "b": [2, 4]}), "int64"),
        (pd.DataFrame({"a": [1, 3], "b": [2.0, 4.0]}), "float32"),
        (pd.DataFrame({"a": pd.Series([1, 3], dtype="Int64"), "b": [2, 4.0]}), "float32"),
        (np.array([[1, 2.0], [3, 4]], object), "float32"),
    ],
)
def test_lists_and_tables_are_arrays_of_numbers(x, dtype):
    found = inputs("x", x)
    assert found.dtype == dtype
    assert found.tolist() == [[1, 2], [3, 4]]


def test_a_table_with_a_column_of_booleans_and_a_series_are_inputs():
    assert inputs("x", pd.DataFrame({"a": [1, 3], "b": [True, False]})).tolist() == [[1, 1], [3, 0]]
    assert inputs("x", pd.Series([1.0, 2.0])).shape == (2, 1)


X = np.arange(30.0).reshape(15, 2)


def test_plain_labels_keep_the_fingerprint_and_other_forms_of_them_have_the_same():
    """The numbers that a fit trains on are its identity: a record made with plain labels is found again."""
    plain, note = data.dataset("mine", X, CODES, X, CODES)
    assert (plain.fingerprint, note) == ("9527ed29c4fe7fe0", "")
    for labels in (WORDS, ONE_HOT, CODES + 1, CODES[:, None]):
        assert data.dataset("mine", X, labels, X, labels)[0].fingerprint == plain.fingerprint


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 14), st.integers(1, 2), st.sampled_from(["words", "one-hot", "integers"]), st.booleans())
def test_a_changed_label_is_other_data(row, step, form, in_test):
    changed = CODES.copy()
    changed[row] = (changed[row] + step) % 3
    forms = {"words": lambda y: np.array(["ant", "bee", "cat"])[y], "one-hot": lambda y: np.eye(3)[y]}
    of = forms.get(form, lambda y: y)
    first = data.dataset("mine", X, of(CODES), X, of(CODES))[0]
    y = (of(CODES), of(changed)) if in_test else (of(changed), of(CODES))
    assert data.dataset("mine", X, y[0], X, y[1])[0].fingerprint != first.fingerprint
