"""The private names of Keras, where nothing public serves.

The overridden hooks of `keras.optimizers.Optimizer` are listed in `HOOKS`: if Keras renamed one of them, it would call
its own method in place of ours, without any error.
"""

from typing import Any

import keras
from keras.src.backend import compute_output_spec as compute_output_spec
from keras.src.backend.common import global_state
from keras.src.trainers import compile_utils

try:
    from keras.src.backend import in_stateless_scope as in_stateless_scope
except ImportError:  # only kernels that update weights in place ask for it; without it, the plain rule runs

    def in_stateless_scope() -> bool:
        return True


SEED = "global_random_seed"
GENERATOR = "global_seed_generator"
HOOKS = (
    "_apply_weight_decay",
    "_backend_update_step",
    "_overwrite_model_variables_with_average_value",
    "_update_model_variables_moving_average",
)


def weights(optimizer: keras.optimizers.Optimizer) -> list[Any]:
    """Return the weights that the optimizer was built for."""
    return optimizer._trainable_variables


def index(optimizer: keras.optimizers.Optimizer, variable: Any) -> int:
    """Return the position of a weight in `weights`, also of a `tf.Variable` that stands for it on one device."""
    return optimizer._get_variable_index(variable)


def averages(optimizer: keras.optimizers.Optimizer) -> list[Any]:
    """Return the moving averages of the weights, for `use_ema`."""
    return optimizer._model_variables_moving_average


def accumulated_gradients(optimizer: keras.optimizers.Optimizer) -> list[Any]:
    """Return the sums of gradients, for `gradient_accumulation_steps`."""
    return optimizer._accumulated_gradients


def batches_seen(optimizer: keras.optimizers.Optimizer) -> Any:
    """Return the counter that schedules follow; `iterations` counts updates, fewer with accumulated gradients."""
    return optimizer._iterations


def learning_rate(optimizer: keras.optimizers.Optimizer) -> Any:
    """Return the learning rate as it was set, a schedule as such; the property `learning_rate` calls it."""
    return optimizer._learning_rate


def is_decayed(optimizer: keras.optimizers.Optimizer, variable: Any) -> bool:
    """Return whether weight decay acts on a weight, after `exclude_from_weight_decay`."""
    return optimizer._use_weight_decay(variable)


def not_decayed(optimizer: keras.optimizers.Optimizer) -> tuple[set[Any], str | None]:
    """Return what `exclude_from_weight_decay` excluded: (keys of variables, a regular expression of names or None)."""
    pattern = getattr(optimizer, "_exclude_from_weight_decay_pattern", None)
    return getattr(optimizer, "_exclude_from_weight_decay", set()), pattern and pattern.pattern


def layout(variable: Any) -> Any:
    """Return how a variable is distributed over devices, where a `keras.distribution` is set."""
    return getattr(variable, "_layout", None)


def strategy(optimizer: keras.optimizers.Optimizer) -> Any:
    """Return the `tf.distribute.Strategy` in whose scope the optimizer was made."""
    return optimizer._distribution_strategy


def output_tensors(layer: keras.Layer) -> list[Any]:
    """Return what a layer puts out in every call of it; a layer that is called more than once has no `output`."""
    return [tensor for call in layer._inbound_nodes for tensor in call.output_tensors]


def all_layers(model: keras.Model) -> list[keras.Layer]:
    """Return the layers of a model with the layers in them, at any depth, without the model itself."""
    return list(model._flatten_layers(include_self=False))


def compiled_metrics(model: keras.Model) -> tuple[Any, Any]:
    """Return (metrics, weighted metrics) with which a model was compiled, as they were given; None for none."""
    compiled = model._compile_metrics
    return (None, None) if compiled is None else (compiled._user_metrics, compiled._user_weighted_metrics)


def loss(identifier: Any, y: Any, outputs: Any) -> keras.losses.Loss:
    """Return the instance that `compile` makes of a loss, for targets and outputs of these shapes."""
    return compile_utils.get_loss(identifier, y, outputs)


def random_state() -> tuple[int | None, Any, Any]:
    """Return (the seed that `keras.utils.set_random_seed` set, the global seed generator, the generator's state)."""
    generator = global_state.get_global_attribute(GENERATOR)
    state = None if generator is None else keras.ops.convert_to_numpy(generator.state)
    return global_state.get_global_attribute(SEED), generator, state


def restore_random_state(saved: tuple[int | None, Any, Any]) -> None:
    """Go back to a state that `random_state` returned."""
    seed, generator, state = saved
    global_state.set_global_attribute(SEED, seed)
    global_state.set_global_attribute(GENERATOR, generator)
    if generator is not None:
        generator.state.assign(state)
