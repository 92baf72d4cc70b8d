"""The catalog says what PROTOCOLS.md says, and its studies can be run."""

import dataclasses
import pickle

import numpy as np
import pytest

from studies.catalog import SOURCES, STUDIES, NetworkStudy, Variant
from studies.data.dataset import SPLITS, Dataset
from studies.errors import StudyError
from studies.networks.losses import LOSSES
from studies.networks.published import MODELS
from studies.training.build import SCHEDULES

NETWORKS = [study for study in STUDIES.values() if type(study) is NetworkStudy]  # of the line-up: test_lineup.py
FORMS = [form for study in NETWORKS for form in (study, *map(study.as_variant, study.variants))]


@pytest.mark.parametrize("study", FORMS, ids=lambda study: study.label)
def test_a_study_names_only_what_there_is(study):
    assert study.split in SPLITS
    assert study.loss in LOSSES or study.loss == "sparse_categorical_crossentropy"
    assert {study.model} | {arm.model for arm in study.arms if arm.model} <= set(MODELS)
    assert {arm.schedule for arm in study.arms} <= set(SCHEDULES)
    assert any("(D)" in line for line in study.left_open)
    assert (study.search is None) == all(arm.learning_rate is not None for arm in study.arms)
    assert hash(pickle.loads(pickle.dumps(study))) == hash(study)


@pytest.mark.parametrize("study", FORMS, ids=lambda study: study.label)
def test_every_arm_of_a_study_can_be_told_from_the_others_by_its_row(study):
    def row(arm):
        return arm.optimizer, arm.schedule, arm.variant, arm.bias_correction, arm.model, arm.learning_rate, arm.beta_2

    assert len(set(map(row, study.arms))) == len(study.arms)
    assert len(set(map(row, study.smoke().arms))) == len(study.smoke().arms) >= 2


@pytest.mark.parametrize(
    ("name", "arms", "fits", "epochs"),
    [
        ("mcgill-logistic", 2, 75, 50),
        ("mcgill-feedforward", 2, 75, 50),
        ("mcgill-cifarnet", 2, 75, 30),
        ("korzeniowski-logistic", 24, 0, 150),
        ("korzeniowski-cifarnet", 24, 0, 150),
        ("korzeniowski-smallvgg", 24, 0, 150),
        ("korzeniowski-vgg", 24, 0, 150),
        ("perez-logistic", 4, 0, 20),
        ("perez-mlp", 8, 0, 20),
        ("perez-cnn", 8, 0, 20),
        ("bushaev-variants", 8, 15, 30),
    ],
)
def test_a_study_has_the_size_of_its_source(name, arms, fits, epochs):
    study = STUDIES[name]
    assert (len(study.arms), study.epochs) == (arms, epochs)
    assert (len(study.search.settings(study.arms[0])) * study.search.folds if study.search else 0) == fits


def numbered():
    """A data set whose pixels say which row they belong to: 100 training rows, 20 test rows."""
    x = np.arange(120, dtype="uint8").reshape(-1, 1, 1)
    return Dataset("cifar10", x[:100], np.arange(100), x[100:], np.arange(100, 120))


def prepared(data, **changes):
    study = dataclasses.replace(STUDIES["digits"], divide_by=1, **changes)
    return data.prepared(study)


def test_as_coded_the_test_rows_of_cifar_are_training_rows():
    data = prepared(numbered(), split=STUDIES["mcgill-cifarnet"].as_variant("as-coded").split)
    assert data.y_test.tolist() == list(range(80, 100))
    assert set(data.y_test) <= set(data.y_train)


def test_as_coded_mnist_is_shuffled_across_its_official_split():
    data = prepared(numbered(), split=STUDIES["mcgill-logistic"].as_variant("as-coded").split)
    assert sorted([*data.y_train, *data.y_test]) == list(range(120))
    assert (len(data.y_train), len(data.y_test)) == (100, 20)
    assert set(data.y_test) & set(range(100))
    np.testing.assert_array_equal(data.x_train.ravel(), data.y_train)


def test_the_mean_that_is_subtracted_is_that_of_the_training_rows():
    data = prepared(numbered(), center=True)
    np.testing.assert_allclose(data.x_train.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(data.x_test.ravel(), np.arange(100, 120) - 49.5)


def test_korzeniowski_validates_on_the_last_training_rows():
    study = STUDIES["korzeniowski-logistic"]
    x = np.zeros((60000, 1, 1), "uint8")
    data = Dataset("mnist", x, np.arange(60000), x[:10000], np.arange(10000)).prepared(study)
    assert (data.y_train[-1], data.y_test[0], data.y_test[-1]) == (49999, 50000, 59999)


def test_a_variant_of_a_variant_is_named_after_both():
    study = STUDIES["mcgill-logistic"].as_variant("as-coded").as_variant("published-settings")
    assert (study.variant, study.divide_by) == (Variant.parse("as-coded+published-settings"), 1)
    assert study.label == "mcgill-logistic.as-coded+published-settings"


@pytest.mark.parametrize("name", ["mcgill-logistic", "perez-cnn", "synthetic-online", "synthetic-mod3"])
def test_a_misspelt_variant_is_refused_by_every_kind_of_study(name):
    with pytest.raises(StudyError, match=f"{name} has no variant 'as-codet'; it has "):
        STUDIES[name].as_variant("as-codet")


def test_every_study_names_a_source_that_there_is():
    named = {study.source for study in STUDIES.values()}
    named |= {each["source"] for study in STUDIES.values() for each in study.variants.values() if "source" in each}
    assert named <= set(SOURCES)
