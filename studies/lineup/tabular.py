"""Problems with rows of measurements. Each data function returns x (rows, measurements), y (rows,)."""

import keras
import numpy as np

from studies.lineup.layers import feedforward

Rows = tuple[np.ndarray, np.ndarray]


def breast_cancer() -> Rows:
    """Return scikit-learn's breast cancer data: 569 rows, 30 measurements, 2 classes."""
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    return x.astype("float32"), y


def breast_cancer_network() -> keras.Sequential:
    """Return 30-32-32-2, ReLU."""
    return feedforward(30, (32, 32), 2)


def wine() -> Rows:
    """Return scikit-learn's wine data: 178 rows, the first four measurements, 3 classes.

    With all 13, validation rows are told apart without error, and their loss is 0 at some learning rates.
    """
    from sklearn.datasets import load_wine

    x, y = load_wine(return_X_y=True)
    return x[:, :4].astype("float32"), y


def wine_network() -> keras.Sequential:
    """Return 4-16-3, ReLU."""
    return feedforward(4, (16,), 3)


def diabetes() -> Rows:
    """Return scikit-learn's diabetes data: 442 rows, 10 measurements; y is the progression, less 152 and over 77."""
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    return x.astype("float32"), ((y - 152) / 77).astype("float32")


def diabetes_network() -> keras.Sequential:
    """Return 10-32-32-1, ReLU."""
    return feedforward(10, (32, 32), 1)


def imbalance(rows: int = 3000, inputs: int = 10, share: float = 0.01) -> Rows:
    """Return normal rows, a `share` of which are of class 1, whose mean is 1 in every input.

    Both classes overlap: the logarithm of their odds is linear in x.
    """
    random = np.random.default_rng(0)
    y = np.zeros(rows, int)
    y[: round(share * rows)] = 1
    x = random.normal(size=(rows, inputs)) + y[:, None]
    return x.astype("float32"), y


def imbalance_network() -> keras.Sequential:
    """Return 10-32-2, ReLU."""
    return feedforward(10, (32,), 2)
