"""The operations that differ between backends: compile, map over replicas, differentiate, drop out.

The program and the loop around it are the same on every backend. On PyTorch, Keras has no compiled loop: a step is
plain Python, and replicas train one after another.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from keras_amsgrad.rules import Tensor

BACKEND = keras.backend.backend()
CAN_STACK = BACKEND in ("tensorflow", "jax")

if BACKEND == "tensorflow":
    import tensorflow as tf
elif BACKEND == "jax":
    import jax
elif BACKEND == "torch":
    import torch


def compiled(function: Callable[..., Any], xla: bool, any_rows: Sequence[int] = ()) -> Callable[..., Any]:
    """Return `function` as one program; `xla` chooses TensorFlow's compiler (JAX has no other).

    With TensorFlow without XLA, one program serves all numbers of rows of the arguments in the places `any_rows`.
    """
    if BACKEND == "tensorflow":
        return _compiled_by_xla(function) if xla else _called_directly(_traced(function), any_rows)
    return jax.jit(function) if BACKEND == "jax" else function


def _compiled_by_xla(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a TensorFlow function compiled by XLA, traced before XLA knows of it.

    Traced under XLA, `tf.vectorized_map` becomes a nested function. XLA can only find its shapes by treating all data
    as constants, and would compile again for the order of rows of every epoch.
    """
    traced = _traced(function)
    compiled = _called_directly(_traced(lambda *arguments: traced(*arguments), jit_compile=True))

    def run(*arguments: Any) -> Any:
        traced.get_concrete_function(*arguments)
        return compiled(*arguments)

    return run


def _traced(function: Callable[..., Any], **settings: Any) -> Any:
    """Return a TensorFlow function. Keras's `fit` converts no Python code of layers and losses either (autograph)."""
    return tf.function(function, autograph=False, **settings)


def _called_directly(program: Any, any_rows: Sequence[int] = ()) -> Callable[..., Any]:
    """Return a function that calls the concrete function of a TensorFlow function; see `compiled`.

    `tf.function` counts its traces by lines of code. It would take the programs of a study for one function that is
    traced again and again, and warn.
    """

    def run(*arguments: Any) -> Any:
        described = [_of_any_rows(each) if i in any_rows else each for i, each in enumerate(arguments)]
        return program.get_concrete_function(*described)(*arguments)

    return run


def _of_any_rows(data: Any) -> Any:
    def described(array: Any) -> Any:
        return None if array is None else tf.TensorSpec([None, *array.shape[1:]], array.dtype)

    return keras.tree.map_structure(described, data)


def fit_uses_xla() -> bool:
    """Return whether Keras's `fit` runs under XLA here; with TensorFlow it does on GPUs only."""
    return BACKEND == "jax" or (BACKEND == "tensorflow" and has_gpu())


def has_gpu() -> bool:
    """Return whether programs run on a GPU."""
    return bool(gpus())


@functools.cache
def gpus() -> list[str]:
    """Return the names of the GPUs, or other accelerators, on which programs can run, as `keras.device` takes them."""
    if BACKEND == "tensorflow":
        return [f"gpu:{i}" for i in range(len(tf.config.list_logical_devices("GPU")))]
    if BACKEND == "jax":
        kind = jax.default_backend()
        return [] if kind == "cpu" else [f"{kind}:{i}" for i in range(len(jax.local_devices()))]
    return [f"cuda:{i}" for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []


def loops_slow_convolutions() -> bool:
    """Return whether a compiled loop slows the convolutions in it down.

    XLA on a CPU has faster code for convolutions outside of loops: the gradient of a 6 x 6 kernel took about 100
    times longer in a loop (64 channels on both sides, 128 images of 16 x 16, on two busy cores).
    """
    return BACKEND == "jax" and not has_gpu()


def over_replicas(function: Callable[..., Any], stacked: Sequence[Tensor], count: int) -> Any:
    """Return what `function(arrays)` gives for each of `count` replicas, stacked on a leading axis.

    `stacked` is a list of arrays with the replicas on their first axis. What `function` closes over is shared by all
    replicas: a shared batch is then multiplied with all kernels in one large matrix product.
    """
    if count == 1:
        alone = function([ops.squeeze(array, 0) for array in stacked])
        return keras.tree.map_structure(lambda array: ops.expand_dims(array, 0), alone)
    return jax.vmap(function)(stacked) if BACKEND == "jax" else tf.vectorized_map(function, stacked)


def can_map_groups() -> bool:
    """Return whether to map a program over several groups of replicas: where one group leaves the device idle."""
    return BACKEND == "jax" and has_gpu()


def over_groups(function: Callable[..., Any], axes: Any, sized: bool = False) -> Callable[..., Any]:
    """Return `function` mapped over the given axes of its arguments (None: shared by all), as one program.

    With `sized`, a Python number comes before these arguments; for each there is a program.
    """
    if not sized:
        return jax.jit(jax.vmap(function, axes))

    def mapped(size: int, *arguments: Any) -> Any:
        return jax.vmap(functools.partial(function, size), axes)(*arguments)

    return jax.jit(mapped, static_argnums=0)


def gradient(function: Callable[..., Any], weights: Sequence[Tensor]) -> tuple[list[Tensor], Any]:
    """Return (the gradients of a scalar, auxiliary values) where `function(weights)` is (scalar, auxiliary values)."""
    if BACKEND == "jax":
        return jax.grad(function, has_aux=True)(weights)
    if BACKEND == "tensorflow":
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            value, auxiliary = function(weights)
        return tape.gradient(value, weights, unconnected_gradients="zero"), auxiliary
    weights = [weight.detach().requires_grad_() for weight in weights]
    value, auxiliary = function(weights)
    gradients = torch.autograd.grad(value, weights, allow_unused=True, materialize_grads=True)
    return list(gradients), keras.tree.map_structure(lambda tensor: tensor.detach(), auxiliary)


def dropout(
    inputs: Tensor, rate: Tensor, noise_shape: Sequence[int | None] | None, seeds: keras.random.SeedGenerator
) -> Tensor:
    """Return what `keras.random.dropout` returns for the same number as a Python float; here `rate` is a scalar tensor.

    Keras asks whether the rate is 0 or 1, which a program cannot ask of one of its inputs.
    """
    if BACKEND == "torch":  # where a step is plain Python
        return keras.random.dropout(inputs, float(rate), noise_shape, seeds)
    seed, rate = seeds.next(), ops.cast(rate, inputs.dtype)
    shape = [s if n is None else n for s, n in zip(ops.shape(inputs), noise_shape or [None] * inputs.ndim, strict=True)]
    if BACKEND == "tensorflow":
        return tf.nn.experimental.stateless_dropout(inputs, rate=rate, noise_shape=shape, seed=tf.cast(seed, "int32"))
    kept = jax.random.bernoulli(seed, p=1 - rate, shape=shape)
    return ops.where(kept, inputs / (1 - rate), ops.zeros_like(inputs))
