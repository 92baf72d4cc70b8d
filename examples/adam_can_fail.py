"""Draw the problem on which Adam goes to the worst point and AMSGrad to the best.

At every third step the gradient is +3, otherwise it is -1: on average it is positive, so x should fall to -1. Adam
forgets the large gradient before it comes again (Reddi, Kale and Kumar 2018, theorem 1).

Run: python examples/adam_can_fail.py [FIGURE.png]
"""

import sys

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_amsgrad import Adam, AMSGrad, InverseSqrtDecay

C = 3


class Interval(keras.constraints.Constraint):
    """Keep a weight in [-1, 1]."""

    def __call__(self, w):
        return keras.ops.clip(w, -1, 1)


def walk(optimizer, steps=1500):
    """Return x after every step; x starts at 0 and is kept in [-1, 1]."""
    x = keras.Variable(0.0)
    x.constraint = Interval()
    path = []
    for t in range(1, steps + 1):
        optimizer.apply([keras.ops.convert_to_tensor(C if t % 3 == 1 else -1.0, "float32")], [x])
        path.append(float(keras.ops.convert_to_numpy(x)))
    return np.array(path)


def main(figure_path="adam_can_fail.png"):
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for optimizer_class, style in ((Adam, "-"), (AMSGrad, "--")):
        optimizer = optimizer_class(
            InverseSqrtDecay(0.1), beta_1=0.0, beta_2=1 / (1 + C**2), epsilon=1e-8, bias_correction=False
        )
        path = walk(optimizer)
        axes.plot(path, style, label=optimizer_class.__name__)
        print(f"{optimizer_class.__name__} ends at x = {path[-1]:+.2f}")
    axes.axhline(-1, color="0.5", lw=1, ls=":", label="best point")
    axes.set(xlabel="step", ylabel="x", title="Gradient +3 at every third step, else −1")
    axes.legend()
    figure.savefig(figure_path, dpi=150)
    print(f"figure: {figure_path}")


if __name__ == "__main__":
    main(*sys.argv[1:])
