"""Keras's own optimizer tests, as the installed Keras ships them, with our classes in the place of Keras's.

Exceptions, each a skip below with its reason, are the tests of what only Keras's own class has.
"""

import re
from unittest import mock

import keras
import pytest
from keras.src import optimizers

from keras_amsgrad.optimizers import RuleOptimizer
from tests.stand_ins import SUBSTITUTES, load, put_in_keras

OF_THE_FAMILY = r"test_sparse_(gradients|correctness)_(adam.*|nadam)|test_gradient_accumulation_with_weigth_decay[0268]"


@pytest.fixture(autouse=True)
def skip_what_is_not_ours(request):
    """Skip the cases of Keras's other optimizers: on JAX, they take up to ten seconds each."""
    test = request.node.name
    of_all = test.startswith(("test_sparse_", "test_gradient_accumulation_with_weigth_decay"))
    if of_all and not re.fullmatch(OF_THE_FAMILY, test):
        pytest.skip("not one of ours")


@pytest.fixture(autouse=True)
def ours_in_keras(monkeypatch):
    put_in_keras(monkeypatch)


class TestAdam(load("optimizers.adam_test").AdamTest):
    pass


class TestAdamax(load("optimizers.adamax_test").AdamaxTest):
    pass


class TestNadam(load("optimizers.nadam_test").NadamTest):
    @pytest.mark.skip(reason="asks for `_u_product`, a variable of Keras's own; ours is kept as a logarithm")
    def test_build_with_empty_var_list(self):
        pass


class TestOptimizer(load("optimizers.optimizer_test").OptimizerTest):
    @pytest.mark.skip(reason="counts Adam's variables; ours also has the betas and their products")
    def test_setting_lr_to_callable_untracks_lr_var(self):
        pass


class TestLossScale(load("optimizers.loss_scale_optimizer_test").LossScaleOptimizerTest):
    pass


class TestSparse(load("optimizers.optimizer_sparse_test").OptimizerSparseTest):
    pass


@pytest.mark.parametrize("create", SUBSTITUTES.values())
def test_it_is_our_code_that_runs(create):
    weights = keras.Variable([1.0, 2.0])
    optimizer = create()
    assert isinstance(optimizer, RuleOptimizer)
    ours = mock.patch.object(type(optimizer), "_next", side_effect=RuntimeError("ours"))
    with ours, pytest.raises(RuntimeError, match="ours"):
        optimizer.apply([keras.ops.ones(2)], [weights])


@pytest.mark.parametrize("name", ["adam", "adamw", "adamax", "nadam"])
def test_a_name_finds_our_class(name):
    assert isinstance(optimizers.get(name), RuleOptimizer)
