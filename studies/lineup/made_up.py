"""Problems made up to be hard in one respect. Each data function returns x (rows, inputs), y (rows,)."""

import keras
import numpy as np

from studies.lineup.layers import feedforward
from studies.lineup.tabular import Rows


def heavy_tails(rows: int = 2000, inputs: int = 20, wrong: float = 0.1) -> Rows:
    """Return inputs with Student's t distribution of 2 degrees of freedom, whose variance is infinite, in two classes.

    The classes are divided by a plane; a share of `wrong` labels, where large inputs make large gradients.
    """
    random = np.random.default_rng(0)
    x = random.standard_t(2, (rows, inputs))
    y = (x @ random.normal(size=inputs) > 0).astype(int)
    y = np.where(random.random(rows) < wrong, 1 - y, y)
    return x.astype("float32"), y


def heavy_tails_network() -> keras.Sequential:
    """Return 20-32-2, tanh."""
    return feedforward(20, (32,), 2, activation="tanh")


def spirals(rows: int = 1600, turns: float = 1.25) -> Rows:
    """Return points in the plane on two spirals, one for each class, with noise."""
    random = np.random.default_rng(0)
    y = np.arange(rows) % 2
    radius = np.sqrt(random.uniform(0.05, 1, rows))
    angle = 2 * np.pi * turns * radius + np.pi * y
    x = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return (2 * x + 0.06 * random.normal(size=x.shape)).astype("float32"), y


def deep_narrow_network() -> keras.Sequential:
    """Return twelve layers of ten units, tanh."""
    return feedforward(2, (10,) * 12, 2, activation="tanh")


def ill_conditioned(rows: int = 1600, inputs: int = 40, condition: float = 1e5) -> Rows:
    """Return a linear regression whose inputs have a covariance with this condition number, in no preferred axes.

    Every direction has the same share in y, whose variance is 1, a hundredth of it noise.
    """
    random = np.random.default_rng(0)
    axes, _ = np.linalg.qr(random.normal(size=(inputs, inputs)))
    factors, scales = random.normal(size=(rows, inputs)), np.logspace(0, -np.log10(condition) / 2, inputs)
    y = np.sqrt(0.99 / inputs) * factors.sum(1) + 0.1 * random.normal(size=rows)
    return (factors * scales @ axes).astype("float32"), y.astype("float32")


def linear_network() -> keras.Sequential:
    """Return a linear output, whose squared error is convex in its weights."""
    return feedforward(40, (), 1)
