"""Parts of networks that several problems share."""

from collections.abc import Sequence

import keras
from keras import layers


def feedforward(inputs: int, hidden: Sequence[int], outputs: int, activation: str = "relu") -> keras.Sequential:
    """Return Dense layers of the widths `hidden` between (rows, inputs) and (rows, outputs), which are not squashed."""
    body = [layers.Dense(width, activation=activation) for width in hidden]
    return keras.Sequential([keras.Input((inputs,)), *body, layers.Dense(outputs)])


def attended(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """Return what each place of (rows, places, features) gathers from all, (rows, places, width): one attention head.

    Source: Vaswani and others 2017, section 3.2.1, https://arxiv.org/abs/1706.03762. The scores are divided by the root
    of the width through the queries.
    """
    query, key, value = (layers.Dense(width)(x) for _ in range(3))
    return layers.Attention()([layers.Rescaling(width**-0.5)(query), value, key])
