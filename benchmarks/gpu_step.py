"""Time one optimizer step on large and on many weights, as a share of what a copy of the same memory reaches.

    KERAS_BACKEND=jax python -m benchmarks.gpu_step [--small]

Prints the device and the versions, then a table as CSV. `--small` takes a hundredth of the 100 million weights.

Bytes counted for each float32 weight: read w, the gradient and the slots, write w and the slots. So 36 for AMSGrad (m,
v, v_max), 28 for Adam (m, v) and AdaMax (m, u). The copy reads and writes 36 bytes a weight. Contestants take turns,
round after round; the figure is the median over rounds of the time of several steps in a row, after which the device is
waited for.
"""

import argparse
import math
import statistics
import time
from importlib.metadata import version

import keras
from keras import ops

import keras_amsgrad

BACKEND = keras.backend.backend()
BYTES = {"AMSGrad": 36, "Adam": 28, "AdaMax": 28}
# The same rules, by what Keras calls them.
THEIRS = {
    "AMSGrad": lambda: keras.optimizers.Adam(0.001, amsgrad=True),
    "Adam": lambda: keras.optimizers.Adam(0.001),
    "AdaMax": lambda: keras.optimizers.Adamax(0.001),
}


def weight_sets(small):
    """Return {title: shapes}: all weights in one array, and many small arrays as a network has them."""
    size, pairs = (1_000_000, 5) if small else (100_000_000, 100)
    return {f"1 of {size:_}": [(size // 1000, 1000)], f"{2 * pairs} small": [(64, 64), (64,)] * pairs}


def arrays(shapes, seed):
    return [keras.random.normal(shape, seed=seed + i) for i, shape in enumerate(shapes)]


def keras_step(create, shapes):
    """Return a function that begins one step of a Keras optimizer, compiled where the backend compiles."""
    weights, grads = [keras.Variable(w) for w in arrays(shapes, 0)], arrays(shapes, 1)
    optimizer = create()
    optimizer.build(weights)
    if BACKEND != "jax":
        return lambda: optimizer.apply(grads, weights)
    # `+ 0`: the step below may write into what it is given, and Keras's variables keep theirs.
    state = [[v.value + 0 for v in each] for each in (weights, optimizer.variables)]
    return jax_step(lambda w, o, g: optimizer.stateless_apply(o, g, w), state, grads)


def jax_step(update, state, grads):
    """Return a function that begins `state = update(*state, grads)`; gradients are an argument, which nothing folds."""
    import jax

    compiled = jax.jit(update, donate_argnums=(0, 1))

    def step():
        state[:] = compiled(*state, grads)
        return state

    return step


def optax_step(rule, shapes):
    import optax

    def update(w, s, g):
        steps, s = rule.update(g, s, w)
        return optax.apply_updates(w, steps), s

    weights = arrays(shapes, 0)
    return jax_step(update, [weights, rule.init(weights)], arrays(shapes, 1))


def torch_step(create, shapes):
    import torch

    weights = [torch.nn.Parameter(w) for w in arrays(shapes, 0)]
    for w, g in zip(weights, arrays(shapes, 1), strict=True):
        w.grad = g
    return create(weights).step


def copy_step(shapes):
    """Return a function that reads and writes arrays of 36 bytes a weight together, with next to nothing computed."""
    source = [ops.ones((math.prod(shape) * 9 // 2,)) for shape in shapes]
    if BACKEND == "torch":
        import torch

        target = [ops.zeros_like(each) for each in source]
        return lambda: torch._foreach_copy_(target, source)  # many in one kernel
    import jax

    # Into memory that is there already, as a step writes: what is donated takes the result.
    into = jax.jit(lambda target, source: [-a for a in source], donate_argnums=0, keep_unused=True)
    target = [[ops.zeros_like(each) for each in source]]

    def copy():
        target[0] = into(target[0], source)
        return target

    return copy


def others(rule, shapes):
    """Return {name: step} of what else the backend has for a rule."""
    if BACKEND == "jax":
        import optax

        name = {"AMSGrad": "amsgrad", "Adam": "adam", "AdaMax": "adamax"}[rule]
        return {"optax": optax_step(getattr(optax, name)(0.001), shapes)}
    from torch.optim import Adam, Adamax

    if rule == "AdaMax":
        return {"torch foreach": torch_step(lambda w: Adamax(w, 0.001, foreach=True), shapes)}
    forms = ({"foreach": True}, {"fused": True})
    return {
        f"torch {next(iter(form))}": torch_step(
            lambda w, form=form: Adam(w, 0.001, amsgrad=rule == "AMSGrad", **form), shapes
        )
        for form in forms
    }


def wait_for(result):
    if BACKEND == "jax":
        import jax

        jax.block_until_ready(result)
    else:
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()


def milliseconds(steps, in_a_row, rounds):
    """Return {name: median milliseconds of a step}; the steps take turns."""
    times = {name: [] for name in steps}
    for number in range(rounds + 2):  # two to warm up
        for name, step in steps.items():
            started = time.perf_counter()
            for _ in range(in_a_row):
                result = step()
            wait_for(result)
            if number >= 2:
                times[name].append((time.perf_counter() - started) / in_a_row)
    return {name: 1e3 * statistics.median(taken) for name, taken in times.items()}


def device_and_versions():
    """Return the name of the card, as "NVIDIA H100 80GB HBM3" or "cpu", and the versions of what runs on it."""
    if BACKEND == "jax":
        import jax

        card = jax.devices()[0].device_kind
    else:
        import torch

        card = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    packages = ("keras", "jax", "optax") if BACKEND == "jax" else ("keras", "torch")
    return ", ".join([card, *(f"{name} {version(name)}" for name in packages)])


def measured(rule, title, shapes, small):
    """Yield (weights, rule, whose step, milliseconds, GB/s, share of the copy's GB/s) for one set of weights."""
    steps = {
        "copy": copy_step(shapes),
        "keras_amsgrad": keras_step(lambda: getattr(keras_amsgrad, rule)(0.001), shapes),
        "keras": keras_step(THEIRS[rule], shapes),
        **others(rule, shapes),
    }
    size = sum(map(math.prod, shapes))
    taken = milliseconds(steps, *((3, 3) if small else (10, 15)))
    speed = {name: (36 if name == "copy" else BYTES[rule]) * size / ms / 1e6 for name, ms in taken.items()}
    for name, ms in taken.items():
        yield title, rule, name, f"{ms:.4f}", f"{speed[name]:.1f}", f"{speed[name] / speed['copy']:.3f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true")
    small = parser.parse_args().small
    print(f"# {device_and_versions()}")
    print("weights,rule,step,ms,gb_per_s,of_copy")
    for title, shapes in weight_sets(small).items():
        for rule in BYTES:
            for row in measured(rule, title, shapes, small):
                print(*row, sep=",", flush=True)


if __name__ == "__main__":
    main()
