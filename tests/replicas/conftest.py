"""What tests of searches share."""

import pytest


@pytest.fixture
def no_fit_of_its_own(monkeypatch):
    """Fail where a search falls back to the estimator's own `fit`: without any replica, its numbers would be right."""
    from keras_amsgrad.model_selection.fits import OwnFit

    monkeypatch.setattr(OwnFit, "__init__", lambda self, *why, **reasons: pytest.fail(f"no replica: {why}, {reasons}"))


@pytest.fixture
def trained(monkeypatch):
    """The numbers of replicas of the chunks that trained."""
    from keras_amsgrad.replicas import training

    numbers, train_chunk = [], training.train_chunk
    monkeypatch.setattr(
        training, "train_chunk", lambda chunk, *how: numbers.append(len(chunk.replicas)) or train_chunk(chunk, *how)
    )
    return numbers


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks of at most two replicas, one after another."""
    from keras_amsgrad.replicas import chunks

    largest = chunks.largest_chunk
    monkeypatch.setattr(chunks, "largest_chunk", lambda *how: min(2, largest(*how)))
    monkeypatch.setattr("keras_amsgrad.replicas.training.at_once", lambda _: 1)
