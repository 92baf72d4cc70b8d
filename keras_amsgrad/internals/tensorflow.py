"""The private names of TensorFlow, where nothing public serves."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import context

try:
    from tensorflow.python.ops import control_flow_util
except ImportError:
    control_flow_util = None
try:
    from tensorflow.python.ops.cond_v2 import fast_cond_v2
except ImportError:
    fast_cond_v2 = tf.cond


def may_be_inside_xla() -> bool:
    """Return whether XLA compiles what is being traced; True where that cannot be known, so that no kernel is used."""
    try:
        return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())
    except AttributeError:
        return True


def cond(predicate: tf.Tensor, if_true: Callable[[], None], if_false: Callable[[], None]) -> None:
    """Call one of two functions as `tf.cond` does, but in a graph without a Switch for every tensor that they use.

    With a thousand tensors these take as long as updating small weights. In a graph, only data and explicit
    dependencies order the operations of a branch.
    """
    (tf.cond if tf.executing_eagerly() else fast_cond_v2)(predicate, if_true, if_false)


def merges_replicas(strategy: tf.distribute.Strategy) -> bool:
    """Return whether the devices of `strategy` meet in one thread to update mirrored variables."""
    with strategy.scope():
        return not tf.__internal__.distribute.strategy_supports_no_merge_call()


def merged(function: Callable[..., None], strategy: tf.distribute.Strategy, *arguments: Any) -> None:
    """Call `function(strategy, *arguments)` once for all devices, with the values of all devices."""
    tf.__internal__.distribute.interim.maybe_merge_call(function, strategy, *arguments)


def random_state() -> tuple[int | None, Any]:
    """Return (the seed that `tf.random.set_seed` set, the state of the generator of seeds for single operations)."""
    generator = getattr(context.context(), "_rng", None)  # made when a seed is set for the first time
    return context.global_seed(), None if generator is None else generator.getstate()


def restore_random_state(saved: tuple[int | None, Any]) -> None:
    """Go back to a state that `random_state` returned.

    An operation with a seed of its own (`tf.random.normal(shape, seed=1)`) starts again, as after every
    `tf.random.set_seed`: TensorFlow does not tell how far it has come.
    """
    seed, state = saved
    tf.random.set_seed(seed)
    if state is not None:
        context.context()._rng.setstate(state)
