"""What tests of searches share."""

import pytest


@pytest.fixture
def no_fit_of_its_own(monkeypatch):
    """Fail where a search falls back to the estimator's own `fit`: without any replica, its numbers would be right."""
    from keras_amsgrad.model_selection.fits import OwnFit

    monkeypatch.setattr(OwnFit, "__init__", lambda self, *why, **reasons: pytest.fail(f"no replica: {why}, {reasons}"))
