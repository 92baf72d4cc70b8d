"""The one-dimensional online problems on which Adam fails: all optimizers and slopes walk in one compiled loop."""

import contextlib
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from keras_amsgrad import rules
from studies.machine import machine

POINTS = 300  # of a path that are kept, spaced evenly in log t


@dataclass(frozen=True)
class Walk:
    """One path of one optimizer, by everything that determines it."""

    study: str
    problem: str
    optimizer: str
    slope: float
    alpha: float
    beta_1: float
    beta_2: float
    epsilon: float
    start: float
    steps: int
    seed: int = 0
    stage: str = "walk"

    @property
    def variant(self):
        return f"C={self.slope:g}"


def walks(study):
    """Return every walk of a study. beta_2 = 1 / (1 + C^2), as the proof of Reddi, Kale and Kumar has it."""
    return [
        Walk(
            study=study.name,
            problem=study.problem,
            optimizer=optimizer,
            slope=slope,
            alpha=study.alpha,
            beta_1=study.beta_1,
            beta_2=1 / (1 + slope**2),
            epsilon=study.epsilon,
            start=study.start,
            steps=study.steps,
        )
        for optimizer in study.optimizers
        for slope in study.slopes
    ]


def walk_all(study, journal):
    """Walk every path of the study that the journal lacks, and record each."""
    missing = [walk for walk in walks(study) if journal.find(walk) is None]
    if missing:
        for walk, path in zip(missing, paths(missing), strict=True):
            journal.write(walk, {"status": "ok", **machine(), **path})


def paths(walks):
    """Return, for each walk, its path {"t", "x", "average_regret"}: lists over log-spaced steps.

    x is the point at which step t is paid for; the average regret is (1/t) sum of f_s(x_s) - f_s(-1) over s <= t.
    The walks, all of the same length, run together in one compiled loop in float64.
    """
    teams = [[walk for walk in walks if walk.optimizer == name] for name in dict.fromkeys(w.optimizer for w in walks)]
    with _float64():
        run = _compiled(lambda states, t, end: _walk_until(end, teams, states, t))
        states, t, kept = [_start(team) for team in teams], 1, []
        ends = log_spaced(walks[0].steps)
        for end in ends:
            states = run(states, ops.convert_to_tensor(t, "int32"), ops.convert_to_tensor(end + 1, "int32"))
            kept.append([_numbers(state, end) for state in states])
            t = end + 1
    found = {}
    for k, team in enumerate(teams):
        curves = np.stack([each[k] for each in kept])  # (points, 2, walks of the team)
        for i, walk in enumerate(team):
            found[walk] = {"t": ends, "x": curves[:, 0, i].tolist(), "average_regret": curves[:, 1, i].tolist()}
    return [found[walk] for walk in walks]


def log_spaced(steps):
    """Return the steps that are kept, 1 to `steps`, evenly spaced in log t."""
    return np.unique(np.geomspace(1, steps, POINTS).round().astype(int)).tolist()


def _start(team):
    x = np.array([walk.start for walk in team])
    zero = np.zeros(len(team))
    slots = {"Adam": 2, "AMSGrad": 3, "AdaMax": 2}[team[0].optimizer]
    state = {"x": x, "slots": (zero,) * slots, "regret": zero, "paid_at": x}
    return keras.tree.map_structure(ops.convert_to_tensor, state)


def _numbers(state, t):
    """Return x and the average regret of each walk of a team, (2, walks)."""
    return np.stack([ops.convert_to_numpy(state["paid_at"]), ops.convert_to_numpy(state["regret"]) / t])


def _walk_until(end, teams, states, t):
    def step(t, states):
        return t + 1, [_step(team, state, t) for team, state in zip(teams, states, strict=True)]

    return ops.while_loop(lambda t, states: t < end, step, (t, states))[1]


def _step(team, state, t):
    """Pay f_t(x_t) = g x_t, move by the rule, and project onto [-1, 1]."""
    slope, alpha, beta_1, beta_2 = (
        np.array([getattr(walk, name) for walk in team]) for name in ("slope", "alpha", "beta_1", "beta_2")
    )
    g = ops.where(ops.equal(t % 3, 1), slope, -np.ones_like(slope))
    alpha = alpha / ops.sqrt(ops.cast(t, "float64"))
    settings = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": team[0].epsilon}
    if team[0].optimizer == "AdaMax":
        alpha = rules.momentum_corrected(alpha, ops.cast(t, "float64"), beta_1)
    rule = getattr(rules, team[0].optimizer.lower())
    move, slots = rule(g, *state["slots"], alpha=alpha, **settings)
    return {
        "x": ops.clip(state["x"] - move, -1, 1),
        "slots": slots,
        "regret": state["regret"] + g * (state["x"] + 1),
        "paid_at": state["x"],
    }


def _compiled(function):
    """Compile a pure function with the backend's compiler. torch runs it as it is, about 100 times slower."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=True)
    if backend == "jax":
        import jax

        return jax.jit(function)
    return function


def _float64():
    """Return a context in which the backend calculates in float64; only JAX has to be asked."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.enable_x64(True)
    return contextlib.nullcontext()
