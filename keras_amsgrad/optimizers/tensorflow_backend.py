"""TensorFlow: sparse gradients are `IndexedSlices`, weights may be mirrored over devices, some rules have a kernel."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from keras_amsgrad import rules
from keras_amsgrad.internals import keras as keras_internals
from keras_amsgrad.internals import tensorflow as tensorflow_internals
from keras_amsgrad.optimizers.settings import LARGEST_OF, Numbers, Variable
from keras_amsgrad.rules import Tensor

if TYPE_CHECKING:
    from keras_amsgrad.optimizers.base import RuleOptimizer


def native(variable: Variable) -> Tensor:
    return variable.value if isinstance(variable, keras.Variable) else variable


# A kernel passes over memory once, a rule once for each operation. For each rule: its kernel, and what the kernel calls
# the rule's slots and the powers of the betas, from which it computes `lr sqrt(1 - beta2_power) / (1 - beta1_power)`.
# Our `alpha` already carries its correction, so kernels are given powers of 0.
KERNELS: dict[Any, tuple[Callable[..., None], tuple[str, ...], tuple[str, ...]]] = {
    rules.adam: (tf.raw_ops.ResourceApplyAdam, ("m", "v"), ("beta1_power", "beta2_power")),
    rules.amsgrad: (tf.raw_ops.ResourceApplyAdamWithAmsgrad, ("m", "v", "vhat"), ("beta1_power", "beta2_power")),
    rules.adamax: (tf.raw_ops.ResourceApplyAdaMax, ("m", "v"), ("beta1_power",)),
}
SMALL = 2**16  # elements; below, clipping takes less time than looking whether it is needed


def has_kernel(optimizer: RuleOptimizer, g: Tensor, weight: Tensor) -> bool:
    """Whether a kernel may update a weight: plain variables on a CPU, one type, known shape, surely without XLA.

    XLA has no kernel for AMSGrad, and the kernels do not check the shape of every slot.
    """
    if optimizer.rule not in KERNELS or tf.distribute.has_strategy() or tensorflow_internals.may_be_inside_xla():
        return False
    i = keras_internals.index(optimizer, weight)
    variables = [weight, *(native(of_all_weights[i]) for of_all_weights in optimizer._slots)]
    return (
        all("CPU" in variable.device for variable in variables)
        and {variable.dtype for variable in variables} == {g.dtype}
        and g.shape.is_fully_defined()
        and all(variable.shape == g.shape for variable in variables)
    )


def bounded(optimizer: RuleOptimizer, g: Tensor) -> Tensor:
    """Return what `optimizer.bounded` does, in one operation; a large gradient is copied only if squares overflow."""
    if optimizer.largest_gradient is None:
        return g
    largest = optimizer.largest_gradient * LARGEST_OF[g.dtype.name]
    clip = functools.partial(tf.raw_ops.ClipByValue, t=g, clip_value_min=-largest, clip_value_max=largest)
    if g.shape.num_elements() < SMALL:
        return clip()
    return tf.cond(tf.math.is_finite(tf.nn.l2_loss(g)), lambda: g, clip)


def check_supported(optimizer: RuleOptimizer) -> None:
    """Refuse conditional updates of mirrored variables: TensorFlow cannot merge replicas inside a condition."""
    strategy = keras_internals.strategy(optimizer)
    if not tensorflow_internals.merges_replicas(strategy):
        return
    for name in ("gradient_accumulation_steps", "ema_overwrite_frequency"):
        if getattr(optimizer, name):
            kind = type(strategy).__name__
            raise ValueError(f"`{name}` must be None under {kind}, which cannot update weights conditionally.")


def beside(optimizer: RuleOptimizer, variable: Variable) -> AbstractContextManager[Any]:
    return keras_internals.strategy(optimizer).extended.colocate_vars_with(native(variable))


def outside_of_traces() -> AbstractContextManager[Any]:
    return tf.init_scope()


def dense(g: Tensor) -> Tensor:
    # Not `ops.convert_to_tensor(g, sparse=False)`, which leaves `IndexedSlices` as they are. This sums equal rows.
    return tf.convert_to_tensor(g)


def summed_over_devices(grads: list[Tensor]) -> list[Tensor]:
    context = tf.distribute.get_replica_context()
    present = [g for g in grads if g is not None]
    if context is None or not present:
        return grads
    summed = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, present))
    return [g if g is None else next(summed) for g in grads]


def update_all(optimizer: RuleOptimizer, grads: list[Tensor], weights: list[Variable], numbers: Numbers) -> None:
    """Update all weights on all devices; by kernels those that have one, unless a beta is below 1/2.

    Kernels move an average by `m + (1 - beta) (g - m)`, which there loses a `g` far smaller than `m`.
    """
    by_kernel: list[tuple[Tensor, Tensor]] = []
    by_rule: list[tuple[Tensor, Tensor]] = []
    for g, weight in zip(grads, weights, strict=True):
        pair = g, native(weight)
        (by_kernel if has_kernel(optimizer, *pair) else by_rule).append(pair)
    update_by_rule(optimizer, by_rule, numbers)
    if by_kernel:
        tensorflow_internals.cond(
            tf.minimum(numbers["beta_1"], numbers["beta_2"]) >= 0.5,
            lambda: update_by_kernel(optimizer, by_kernel, numbers),
            lambda: update_by_rule(optimizer, by_kernel, numbers),
        )


def update_by_rule(optimizer: RuleOptimizer, pairs: list[tuple[Tensor, Tensor]], numbers: Numbers) -> None:
    def update(weight: Tensor, g: Tensor, numbers: Numbers) -> None:
        optimizer._update_by_rule(g, weight, numbers)

    def update_on_all_devices(strategy: Any, pairs: list[tuple[Tensor, Tensor]], numbers: Numbers) -> None:
        for g, weight in pairs:
            strategy.extended.update(weight, update, args=(g, numbers), group=False)

    tensorflow_internals.merged(update_on_all_devices, keras_internals.strategy(optimizer), pairs, numbers)


def update_by_kernel(optimizer: RuleOptimizer, pairs: list[tuple[Tensor, Tensor]], numbers: Numbers) -> None:
    kernel, slots, powers = KERNELS[optimizer.rule]
    decay, names = numbers["decay"], {"lr": "alpha", "beta1": "beta_1", "beta2": "beta_2", "epsilon": "epsilon"}
    settings = {name: numbers[ours] for name, ours in names.items()} | dict.fromkeys(powers, 0.0)
    of_type = {x: {name: tf.cast(y, x) for name, y in settings.items()} for x in {g.dtype for g, _ in pairs}}
    for g, weight in pairs:
        i = keras_internals.index(optimizer, weight)
        handles = {name: native(slot[i]).handle for name, slot in zip(slots, optimizer._slots, strict=True)}
        decayed = []
        if decay is not None and optimizer._decays[i]:
            share = tf.cast(decay, g.dtype) * weight
            decayed = [tf.raw_ops.AssignSubVariableOp(resource=weight.handle, value=share)]
        with tf.control_dependencies(decayed):
            kernel(var=weight.handle, grad=bounded(optimizer, g), **handles, **of_type[g.dtype])


def overwrite_with_averages(optimizer: RuleOptimizer, weights: list[Variable]) -> None:
    # As Keras, but for averages that are wider than their weights.
    for weight, mean in zip(weights, keras_internals.averages(optimizer), strict=True):
        if mean is not None:
            keras_internals.strategy(optimizer).extended.update(
                native(weight), lambda w, m: w.assign(tf.cast(m, w.dtype)), args=(native(mean),)
            )
