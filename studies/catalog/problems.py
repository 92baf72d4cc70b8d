"""The problems of the line-up, as data: rows, network, loss, length of training, target."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from studies.catalog.metrics import SQUARED_ERROR

CROSSENTROPY = "logits_crossentropy"
WHERE = "studies.lineup"  # the modules of the problems are below it


@dataclass(frozen=True)
class Problem:
    """A data set, a network, and how long it is trained: the same for every optimizer.

    `data` is a function without arguments that returns all rows, (x, y): the line-up divides them into rows that train,
    rows that validate, and rows that test. `network` is one that returns a new Keras model. Both may be given by name,
    "MODULE:FUNCTION".
    """

    name: str
    title: str
    data: str | Callable[[], Any]
    network: str | Callable[[], Any]
    loss: str  # CROSSENTROPY of classes, for networks that end in logits, or SQUARED_ERROR of numbers
    target: float  # a validation loss: how many epochs each optimizer takes to it is reported
    epochs: int
    batch_size: int = 32
    standardize: bool = False  # inputs to mean 0 and standard deviation 1, by the rows that train
    held_out: bool = False  # whether statements on where an optimizer pays are judged on it


# The last four, as different as can be, are held out: statements are made from the others, and judged on these.
PROBLEMS = (
    Problem(
        name="breast-cancer",
        title="Breast cancer: 30 measurements, 2 classes, feed-forward",
        data=f"{WHERE}.tabular:breast_cancer",
        network=f"{WHERE}.tabular:breast_cancer_network",
        loss=CROSSENTROPY,
        target=0.06,
        epochs=25,
        batch_size=16,
        standardize=True,
    ),
    Problem(
        name="wine",
        title="Wine: 4 measurements, 3 classes, feed-forward",
        data=f"{WHERE}.tabular:wine",
        network=f"{WHERE}.tabular:wine_network",
        loss=CROSSENTROPY,
        target=0.6,
        epochs=40,
        batch_size=8,
        standardize=True,
    ),
    Problem(
        name="diabetes",
        title="Diabetes: a regression on 10 measurements, feed-forward",
        data=f"{WHERE}.tabular:diabetes",
        network=f"{WHERE}.tabular:diabetes_network",
        loss=SQUARED_ERROR,
        target=0.55,
        epochs=30,
        batch_size=16,
        standardize=True,
    ),
    Problem(
        name="imbalance",
        title="One row in a hundred is of the second class, feed-forward",
        data=f"{WHERE}.tabular:imbalance",
        network=f"{WHERE}.tabular:imbalance_network",
        loss=CROSSENTROPY,
        target=0.03,
        epochs=15,
    ),
    Problem(
        name="digits",
        title="Handwritten digits: feed-forward",
        data=f"{WHERE}.images:digits",
        network=f"{WHERE}.images:digits_network",
        loss=CROSSENTROPY,
        target=0.09,
        epochs=20,
    ),
    Problem(
        name="autoencoder",
        title="Handwritten digits through a bottleneck of 8: autoencoder",
        data=f"{WHERE}.images:copied_digits",
        network=f"{WHERE}.images:autoencoder_network",
        loss=SQUARED_ERROR,
        target=0.028,
        epochs=20,
    ),
    Problem(
        name="shifted-shapes",
        title="Series with a shape at any place: convolutional",
        data=f"{WHERE}.series:shifted_shapes",
        network=f"{WHERE}.series:convolutional_network",
        loss=CROSSENTROPY,
        target=0.6,
        epochs=12,
    ),
    Problem(
        name="bursts",
        title="The frequency of a burst in noise: attention",
        data=f"{WHERE}.series:bursts",
        network=f"{WHERE}.series:attention_network",
        loss=CROSSENTROPY,
        target=0.95,
        epochs=20,
    ),
    Problem(
        name="words-common",
        title="Texts in which a common word decides: embedding",
        data=f"{WHERE}.words:common",
        network=f"{WHERE}.words:embedding_network",
        loss=CROSSENTROPY,
        target=0.42,
        epochs=20,
    ),
    Problem(
        name="recurring-word",
        title="Whether the first word comes again: a Transformer block",
        data=f"{WHERE}.words:recurring",
        network=f"{WHERE}.words:transformer_network",
        loss=CROSSENTROPY,
        target=0.62,
        epochs=20,
    ),
    Problem(
        name="heavy-tails",
        title="Inputs with heavy tails and wrong labels: feed-forward",
        data=f"{WHERE}.made_up:heavy_tails",
        network=f"{WHERE}.made_up:heavy_tails_network",
        loss=CROSSENTROPY,
        target=0.38,
        epochs=20,
    ),
    Problem(
        name="deep-narrow",
        title="Two spirals: twelve layers of ten units",
        data=f"{WHERE}.made_up:spirals",
        network=f"{WHERE}.made_up:deep_narrow_network",
        loss=CROSSENTROPY,
        target=0.1,
        epochs=25,
    ),
    Problem(
        name="digits-convolutional",
        title="Handwritten digits: convolutional",
        data=f"{WHERE}.images:square_digits",
        network=f"{WHERE}.images:convolutional_network",
        loss=CROSSENTROPY,
        target=0.15,
        epochs=10,
        held_out=True,
    ),
    Problem(
        name="adding",
        title="The sum of two marked numbers in a series: GRU",
        data=f"{WHERE}.series:adding",
        network=f"{WHERE}.series:gru_network",
        loss=SQUARED_ERROR,
        target=0.015,
        epochs=20,
        held_out=True,
    ),
    Problem(
        name="words-rare",
        title="Texts in which a rare word decides: embedding",
        data=f"{WHERE}.words:rare",
        network=f"{WHERE}.words:embedding_network",
        loss=CROSSENTROPY,
        target=0.5,
        epochs=20,
        held_out=True,
    ),
    Problem(
        name="ill-conditioned",
        title="Least squares with a condition number of 100,000",
        data=f"{WHERE}.made_up:ill_conditioned",
        network=f"{WHERE}.made_up:linear_network",
        loss=SQUARED_ERROR,
        target=0.65,
        epochs=20,
        held_out=True,
    ),
)
