"""The networks of the studies are those of the sources."""

import keras
import numpy as np
import pytest

from studies.catalog import STUDIES
from studies.networks.published import LocalResponseNormalization, he_normal, network
from studies.report import cost


@pytest.mark.parametrize(
    ("name", "shape", "parameters"),
    [
        ("logistic", (28, 28), 7_850),
        ("feedforward", (28, 28), 79_510),
        ("cifarnet-drawn", (32, 32, 3), 6_522_442),
        ("cifarnet", (32, 32, 3), 623_946),
        ("smallvgg", (32, 32, 3), 1_149_576),
        ("vgg", (32, 32, 3), 5_755_862),
        ("mlp", (28, 28), 784 * 1000 + 1000 + 1000 * 1000 + 1000 + 10_010),
        ("mlp-dropout", (28, 28), 784 * 1000 + 1000 + 1000 * 1000 + 1000 + 10_010),
        ("cnn", (28, 28), 25 * 64 + 64 + 25 * 64 * 64 + 64 + 7 * 7 * 64 * 1000 + 1000 + 10_010),
        ("cnn-dropout", (28, 28), 25 * 64 + 64 + 25 * 64 * 64 + 64 + 7 * 7 * 64 * 1000 + 1000 + 10_010),
    ],
)
def test_a_network_has_the_parameters_that_its_source_counts(name, shape, parameters):
    model = network(name, shape, classes=10)
    assert model.count_params() == parameters
    assert model.output_shape == (None, 10)


@pytest.mark.parametrize("name", ["cifarnet", "smallvgg", "vgg"])
def test_a_network_puts_out_probabilities(name):
    outputs = network(name, (32, 32, 3), classes=10).predict(np.zeros((2, 32, 32, 3)), verbose=0)
    np.testing.assert_allclose(outputs.sum(1), 1, rtol=1e-5)


def test_response_normalization_is_that_of_the_paper():
    x = np.random.default_rng(0).normal(size=(2, 3, 3, 8)).astype("float32") * 50
    expected = np.empty_like(x)
    for i in range(8):
        low, high = max(0, i - 2), min(7, i + 2)
        expected[..., i] = x[..., i] / (2 + 1e-4 * (x[..., low : high + 1] ** 2).sum(-1)) ** 0.75
    np.testing.assert_allclose(keras.ops.convert_to_numpy(LocalResponseNormalization()(x)), expected, rtol=1e-5)


def test_weights_start_from_a_normal_distribution_that_is_not_cut_off():
    keras.utils.set_random_seed(0)
    weights = keras.ops.convert_to_numpy(he_normal()((3, 3, 100, 200)))
    deviation = np.sqrt(2 / 900)
    assert weights.std() == pytest.approx(deviation, rel=0.01)
    assert np.abs(weights).max() > 3 * deviation  # Keras's own ends at 2 / .88


def test_a_penalty_counts_every_weight():
    model = network("logistic", (4, 4), classes=3, l2=0.5)
    expected = 0.5 * sum((keras.ops.convert_to_numpy(variable) ** 2).sum() for variable in model.trainable_variables)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


def test_training_images_are_flipped_and_others_are_not():
    model = network("logistic", (4, 4, 1), classes=3, flip=True)
    flip = model.layers[0]
    images = np.random.default_rng(0).random((64, 4, 4, 1)).astype("float32")
    seen = keras.ops.convert_to_numpy(flip(images, training=True))
    mirrored = (seen == images[:, :, ::-1]).all((1, 2, 3))
    assert (mirrored | (seen == images).all((1, 2, 3))).all()
    assert 16 < mirrored.sum() < 48
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(flip(images, training=False)), images)


def test_a_row_costs_two_operations_for_each_weight_and_place():
    first, second, hidden, last = 28 * 28 * 25 * 64, 14 * 14 * 25 * 64 * 64, 7 * 7 * 64 * 1000, 1000 * 10
    assert cost.of_row(network("cnn", (28, 28), classes=10)) == 2 * (first + second + hidden + last)


def test_a_study_costs_what_its_searched_and_its_repeated_rows_cost():
    study = STUDIES["mcgill-logistic"]
    search = 2 * 25 * 30 * (2 * 600 * 3 + 600)
    repeats = 2 * 5 * 50 * (600 * 3 + 100)
    assert cost.of_study(study, row=1, train_rows=600, test_rows=100) == search + repeats
