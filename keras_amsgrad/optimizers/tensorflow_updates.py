"""TensorFlow: sparse gradients are `IndexedSlices`, weights may be mirrored over devices, some rules have a kernel."""

import keras
import tensorflow as tf


def native(variable):
    return variable.value if isinstance(variable, keras.Variable) else variable


class TensorFlowUpdates:
    def _refuse_what_the_backend_cannot(self):
        """Refuse conditional updates of mirrored variables: TensorFlow cannot merge replicas inside a condition."""
        if tf.__internal__.distribute.strategy_supports_no_merge_call():
            return
        for name in ("gradient_accumulation_steps", "ema_overwrite_frequency"):
            if getattr(self, name):
                strategy = type(self._distribution_strategy).__name__
                raise ValueError(f"`{name}` must be None under {strategy}, which cannot update weights conditionally.")

    def _beside(self, variable):
        return self._distribution_strategy.extended.colocate_vars_with(native(variable))

    def _outside_of_traces(self):
        return tf.init_scope()

    def _dense(self, g):
        # Not `ops.convert_to_tensor(g, sparse=False)`, which leaves `IndexedSlices` as they are. This sums equal rows.
        return tf.convert_to_tensor(g)

    def _summed_over_devices(self, grads):
        context = tf.distribute.get_replica_context()
        present = [g for g in grads if g is not None]
        if context is None or not present:
            return grads
        summed = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, present))
        return [g if g is None else next(summed) for g in grads]

    def _update_all(self, grads, variables, settings):
        pairs = list(zip(grads, map(native, variables), strict=True))
        tf.__internal__.distribute.interim.maybe_merge_call(
            self._distributed_tf_update_step, self._distribution_strategy, pairs, settings
        )

    def _overwrite_model_variables_with_average_value(self, trainable_variables):
        # As Keras, but for averages that are wider than their weights.
        for variable, mean in zip(trainable_variables, self._model_variables_moving_average, strict=True):
            if mean is not None:
                self._distribution_strategy.extended.update(
                    native(variable), lambda w, m: w.assign(tf.cast(m, w.dtype)), args=(native(mean),)
                )
