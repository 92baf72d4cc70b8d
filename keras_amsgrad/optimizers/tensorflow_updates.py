"""TensorFlow: sparse gradients are `IndexedSlices`, weights may be mirrored over devices, some rules have a kernel."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.ops import control_flow_util

from keras_amsgrad import rules
from keras_amsgrad.optimizers.settings import Variable
from keras_amsgrad.rules import Tensor


def native(variable: Variable) -> Tensor:
    return variable.value if isinstance(variable, keras.Variable) else variable


# One pass over memory instead of one per operation. The kernels compute `lr sqrt(1 - beta2_power) / (1 - beta1_power)`
# from powers that they are given: with powers of 0 that is `lr`, and ours already carries its correction.


def fused_adam(
    w: Tensor, g: Tensor, m: Tensor, v: Tensor, *, alpha: Tensor, beta_1: Tensor, beta_2: Tensor, epsilon: Tensor
) -> None:
    tf.raw_ops.ResourceApplyAdam(
        var=w, m=m, v=v, beta1_power=0 * alpha, beta2_power=0 * alpha, lr=alpha, beta1=beta_1, beta2=beta_2,
        epsilon=epsilon, grad=g,
    )  # fmt: skip


def fused_amsgrad(
    w: Tensor,
    g: Tensor,
    m: Tensor,
    v: Tensor,
    v_max: Tensor,
    *,
    alpha: Tensor,
    beta_1: Tensor,
    beta_2: Tensor,
    epsilon: Tensor,
) -> None:
    tf.raw_ops.ResourceApplyAdamWithAmsgrad(
        var=w, m=m, v=v, vhat=v_max, beta1_power=0 * alpha, beta2_power=0 * alpha, lr=alpha, beta1=beta_1,
        beta2=beta_2, epsilon=epsilon, grad=g,
    )  # fmt: skip


def fused_adamax(
    w: Tensor, g: Tensor, m: Tensor, u: Tensor, *, alpha: Tensor, beta_1: Tensor, beta_2: Tensor, epsilon: Tensor
) -> None:
    tf.raw_ops.ResourceApplyAdaMax(
        var=w, m=m, v=u, beta1_power=0 * alpha, lr=alpha, beta1=beta_1, beta2=beta_2, epsilon=epsilon, grad=g
    )


FUSED: dict[Any, Callable[..., None]] = {
    rules.adam: fused_adam,
    rules.amsgrad: fused_amsgrad,
    rules.adamax: fused_adamax,
}


def can_fuse(variables: list[Tensor], g: Tensor) -> bool:
    """Whether a kernel may be used: plain variables on a CPU, all of one type and known shape, surely without XLA.

    XLA has no kernel for AMSGrad, and the kernels do not check the shape of every slot.
    """
    return (
        not tf.distribute.has_strategy()
        and not control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())
        and all("CPU" in variable.device for variable in variables)
        and {variable.dtype for variable in variables} == {g.dtype}
        and g.shape.is_fully_defined()
        and all(variable.shape == g.shape for variable in variables)
    )


class TensorFlowUpdates(keras.optimizers.Optimizer):
    def _refuse_what_the_backend_cannot(self) -> None:
        """Refuse conditional updates of mirrored variables: TensorFlow cannot merge replicas inside a condition."""
        if tf.__internal__.distribute.strategy_supports_no_merge_call():
            return
        for name in ("gradient_accumulation_steps", "ema_overwrite_frequency"):
            if getattr(self, name):
                strategy = type(self._distribution_strategy).__name__
                raise ValueError(f"`{name}` must be None under {strategy}, which cannot update weights conditionally.")

    def _beside(self, variable: Variable) -> AbstractContextManager[Any]:
        return self._distribution_strategy.extended.colocate_vars_with(native(variable))

    def _outside_of_traces(self) -> AbstractContextManager[Any]:
        return tf.init_scope()

    def _dense(self, g: Tensor) -> Tensor:
        # Not `ops.convert_to_tensor(g, sparse=False)`, which leaves `IndexedSlices` as they are. This sums equal rows.
        return tf.convert_to_tensor(g)

    def _summed_over_devices(self, grads: list[Tensor]) -> list[Tensor]:
        context = tf.distribute.get_replica_context()
        present = [g for g in grads if g is not None]
        if context is None or not present:
            return grads
        summed = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, present))
        return [g if g is None else next(summed) for g in grads]

    def _update_all(self, grads: list[Tensor], variables: list[Variable], settings: dict[str, Tensor]) -> None:
        pairs = list(zip(grads, map(native, variables), strict=True))
        tf.__internal__.distribute.interim.maybe_merge_call(
            self._distributed_tf_update_step, self._distribution_strategy, pairs, settings
        )

    def update_step(self, gradient: Tensor, variable: Variable, settings: dict[str, Tensor]) -> None:
        i = self._get_variable_index(variable)
        variables = [native(each) for each in (variable, *(of_all_weights[i] for of_all_weights in self._slots))]
        if self.rule not in FUSED or not can_fuse(variables, gradient):
            super().update_step(gradient, variable, settings)
            return
        numbers = {name: tf.cast(x, gradient.dtype) for name, x in settings.items() if x is not None}
        decay = numbers.pop("decay", None)
        if decay is not None and self._decays[i]:
            self.assign_sub(variable, decay * variable)
        w, *slots = (each.handle for each in variables)
        FUSED[self.rule](w, gradient, *slots, **numbers)

    def _overwrite_model_variables_with_average_value(self, trainable_variables: list[Variable]) -> None:
        # As Keras, but for averages that are wider than their weights.
        for variable, mean in zip(trainable_variables, self._model_variables_moving_average, strict=True):
            if mean is not None:
                self._distribution_strategy.extended.update(
                    native(variable), lambda w, m: w.assign(tf.cast(m, w.dtype)), args=(native(mean),)
                )
