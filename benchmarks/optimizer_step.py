"""Time one optimizer step: ours beside Keras's, torch's and optax's, and what the memory could do.

    KERAS_BACKEND=tensorflow python benchmarks/optimizer_step.py

One process per backend. All contestants take turns, round after round, so that a busy machine slows all alike; the
ratio is that of the medians, against Keras's `Adam(amsgrad=True)`. The floor reads and writes 36 bytes a weight, as
AMSGrad must (read w, g, m, v, v_max, write w, m, v, v_max), with nothing computed.
"""

import os
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import ops

from keras_amsgrad import AMSGrad

BACKEND = keras.backend.backend()
WEIGHTS = {
    "100 x [(64,64), (64,)]": [(64, 64), (64,)] * 100,
    "784-1000-1000-10": [(784, 1000), (1000,), (1000, 1000), (1000,), (1000, 10), (10,)],
    "5000 x 5000": [(5000, 5000)],
}


def arrays(shapes, seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype("float32") for shape in shapes]


def keras_step(create, shapes, mode):
    """Return a function that makes one step and waits for it; mode is eager, graph or xla."""
    weights = [keras.Variable(w) for w in arrays(shapes, 0)]
    grads = [ops.convert_to_tensor(g) for g in arrays(shapes, 1)]
    optimizer = create()
    optimizer.build(weights)
    if BACKEND == "jax":
        return jax_step(optimizer, weights, grads)
    apply = lambda: optimizer.apply(grads, weights)  # noqa: E731
    if mode != "eager":
        import tensorflow as tf

        apply = tf.function(apply, jit_compile=mode == "xla")
    return apply


def jax_step(optimizer, weights, grads):
    import jax

    state = [[v.value for v in weights], [v.value for v in optimizer.variables]]
    compiled = jax.jit(lambda w, o, g: optimizer.stateless_apply(o, g, w), donate_argnums=(0, 1))

    def step():
        state[:] = compiled(*state, grads)
        jax.block_until_ready(state)

    return step


def optax_step(shapes):
    import jax
    import optax

    rule = optax.amsgrad(0.001)
    weights, grads = [[jax.numpy.asarray(x) for x in arrays(shapes, seed)] for seed in (0, 1)]
    state = [weights, rule.init(weights)]

    def update(w, s, g):
        steps, s = rule.update(g, s)
        return optax.apply_updates(w, steps), s

    compiled = jax.jit(update, donate_argnums=(0, 1))

    def step():
        state[:] = compiled(*state, grads)
        jax.block_until_ready(state)

    return step


def torch_step(shapes, **form):
    import torch

    weights = [torch.nn.Parameter(torch.from_numpy(w)) for w in arrays(shapes, 0)]
    for w, g in zip(weights, arrays(shapes, 1), strict=True):
        w.grad = torch.from_numpy(g)
    return torch.optim.Adam(weights, lr=0.001, amsgrad=True, **form).step


def floor_step(shapes):
    """Move 36 bytes a weight: nine streams of 4, as two threads of NumPy copies (4 reads and 4 writes) and a sum."""
    size = sum(int(np.prod(shape)) for shape in shapes)
    source, target = np.ones(size * 9 // 2, "float32"), np.empty(size * 9 // 2, "float32")
    half = len(source) // 2
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(2)
    parts = [(target[:half], source[:half]), (target[half:], source[half:])]
    return lambda: list(pool.map(lambda part: np.copyto(*part), parts))


def theirs():
    return keras.optimizers.Adam(0.001, amsgrad=True)


def contestants(shapes):
    """Return {name: step}; the first is what the others are compared with."""
    modes = {"tensorflow": ["graph", "eager", "xla"], "jax": ["jit"], "torch": ["eager"]}[BACKEND]
    result = {}
    for mode in modes:
        result[f"keras {mode}"] = keras_step(theirs, shapes, mode)
        result[f"ours {mode}"] = keras_step(lambda: AMSGrad(0.001), shapes, mode)
    if BACKEND == "jax":
        result["optax jit"] = optax_step(shapes)
    if BACKEND == "torch":
        result["torch foreach"] = torch_step(shapes, foreach=True)
        result["torch fused"] = torch_step(shapes, fused=True)
    result["memory floor"] = floor_step(shapes)
    return result


def medians(steps, seconds):
    """Return the median seconds of each step; they take turns until `seconds` are over."""
    times = {name: [] for name in steps}
    for step in steps.values():
        step()
        step()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[next(iter(times))]) < 5:
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}


def fit_steps():
    """Return {name: one epoch of `fit` on the 784-1000-1000-10 network, of 20 steps of 128}."""
    x, y = np.random.default_rng(0).normal(size=(2560, 784)).astype("float32"), np.arange(2560) % 10
    result = {}
    for name, create in (("keras fit", theirs), ("ours fit", lambda: AMSGrad(0.001))):
        layers = [keras.Input((784,)), *(keras.layers.Dense(1000, "relu") for _ in range(2)), keras.layers.Dense(10)]
        model = keras.Sequential(layers)
        model.compile(create(), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        result[name] = lambda model=model: model.fit(x, y, batch_size=128, verbose=0)
    return result


def report(title, taken, steps=1):
    print(f"\n{BACKEND}: {title}")
    for name, seconds in taken.items():
        mode = name.split()[-1]
        base = taken.get(f"keras {mode}", taken[next(iter(taken))])
        print(f"  {name:15} {1e3 * seconds / steps:9.3f} ms   {base / seconds:5.2f} x Keras's speed")


def main(seconds=6.0):
    for title, shapes in WEIGHTS.items():
        report(title, medians(contestants(shapes), seconds))
    report("fit, a step of 784-1000-1000-10", medians(fit_steps(), seconds), steps=20)


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
