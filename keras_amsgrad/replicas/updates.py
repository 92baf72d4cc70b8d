"""The update of the weights of all replicas of a program, each with its own numbers."""

import re
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_amsgrad import rules
from keras_amsgrad.replicas import layout, settings
from keras_amsgrad.rules import Tensor

Columns = dict[str, Tensor]  # a number of each replica, (replicas,), by name


class Update:
    """Updates the packed weights (see `layout`) as Keras does: clips gradients, decays weights, takes the rule's step,
    and keeps averages of the weights as their last slot.

    Args:
        forms: The optimizers of the replicas, which differ in their numbers only.
        variables: The trainable variables of the template.
    """

    def __init__(self, forms: Sequence[settings.PureForm], variables: Sequence[keras.Variable]) -> None:
        self.form, self.count = forms[0], len(forms)
        self.schedules = settings.scheduled(forms)
        pattern = self.form.not_decayed
        self.decayed = [
            self.form.decays and not (pattern is not None and re.search(pattern, v.name)) for v in variables
        ]

    def initial_slots(self, weights: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
        """Return the slots of each weight before the first update."""
        values = [*self.form.slots.values(), *([0.0] if self.form.averages else [])]
        return [[np.full_like(weight, value) for value in values] for weight in weights]

    def __call__(
        self, weights: list[Tensor], gradients: list[Tensor], slots: list[list[Tensor]], numbers: Columns, t: Tensor
    ) -> tuple[list[Tensor], list[list[Tensor]]]:
        """Return the weights and slots after update `t` = 0, 1, ..."""
        numbers = {name: ops.convert_to_tensor(column) for name, column in numbers.items()} | self._scheduled_now(t)
        if self.form.clip:
            gradients = getattr(self, f"_{self.form.clip}")(gradients, numbers.pop(self.form.clip))
        along_row = {width: _along_row(numbers, width) for width in {weight.shape[1] for weight in weights}}
        pairs = zip(weights, gradients, slots, self.decayed, strict=True)
        updated = [self._updated_weight(t, dict(along_row[pair[0].shape[1]]), *pair) for pair in pairs]
        return [weight for weight, _ in updated], [slots for _, slots in updated]

    def final_weights(self, weights: list[Tensor], slots: list[list[Tensor]]) -> list[Tensor]:
        """Return the weights with which training ends: their averages, where those are kept."""
        return [of_weight[-1] for of_weight in slots] if self.form.averages else weights

    def _updated_weight(
        self, t: Tensor, n: Columns, weight: Tensor, gradient: Tensor, slots: list[Tensor], decayed: bool
    ) -> tuple[Tensor, list[Tensor]]:
        """Return a weight and its slots after an update, given the numbers `n` along its rows."""
        decay, momentum = n.pop("weight_decay"), n.pop("ema_momentum", None)
        *slots, average = slots if self.form.averages else [*slots, None]
        if decayed:
            weight = weight - weight * decay * n["learning_rate"]
        step, new_slots = self.form.step(gradient, *slots, t=ops.cast(t + 1, weight.dtype), **n)
        weight = weight - step
        if average is None:
            return weight, list(new_slots)
        average = rules.average(average, weight, ops.cast(t > 0, weight.dtype) * momentum)
        if self.form.overwrites_every:
            weight = ops.where((t + 1) % self.form.overwrites_every == 0, average, weight)
        return weight, [*new_slots, average]

    def _scheduled_now(self, t: Tensor) -> Columns:
        return {
            name: ops.stack([ops.cast(schedule(t), "float32") for schedule in schedules])
            for name, schedules in self.schedules.items()
        }

    # Norms may be infinite or NaN: in a product of `layout.along_row`, they would reach other replicas.

    def _clipnorm(self, gradients: list[Tensor], largest: Tensor) -> list[Tensor]:
        """Scale the gradient of each weight array of each replica down to the norm `largest` (replicas,)."""
        largest = ops.expand_dims(largest, 1)

        def clipped(g: Tensor) -> Tensor:
            norm = ops.expand_dims(ops.sqrt(layout.squared_norms(g, self.count)), 1)
            return ops.reshape(layout.parts(g, self.count) * largest / ops.maximum(norm, largest), g.shape)

        return [clipped(g) for g in gradients]

    def _global_clipnorm(self, gradients: list[Tensor], largest: Tensor) -> list[Tensor]:
        """Scale all gradients of each replica down to the norm `largest` (replicas,); NaN where that is not finite."""
        norm = ops.sqrt(sum(layout.squared_norms(g, self.count) for g in gradients))
        scale = ops.expand_dims(largest * ops.minimum(1 / norm, 1 / largest) + (norm - norm), 1)
        return [ops.reshape(layout.parts(g, self.count) * scale, g.shape) for g in gradients]

    def _clipvalue(self, gradients: list[Tensor], largest: Tensor) -> list[Tensor]:
        return [rules.bounded(g, _along_row({"largest": largest}, g.shape[1])["largest"]) for g in gradients]


def _along_row(numbers: Columns, width: int) -> Columns:
    """Return numbers of each replica, (replicas,), repeated for its part of a row of packed weights: (width,)."""
    repeated = layout.along_row(ops.stack(list(numbers.values())), width)
    return {name: repeated[i] for i, name in enumerate(numbers)}
