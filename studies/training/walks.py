"""The one-dimensional online problems on which Adam fails: all optimizers, problems and seeds walk in one loop."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

import keras_amsgrad
from keras_amsgrad import rules
from keras_amsgrad.diagnostics import ROOTS, gamma, inverse_step_size
from keras_amsgrad.replicas.backends import compiled
from keras_amsgrad.rules import Tensor
from studies.catalog.synthetic import Losses, SyntheticStudy
from studies.catalog.walk import Walk, walks_of
from studies.records.journal import Journal
from studies.records.outcome import WalkOutcome
from studies.records.tables import WALK

POINTS = 100  # of a path that are kept, spaced evenly in log t
BLOCK = 1 << 17  # steps whose slopes are made at a time

Streams = list[tuple[Losses, int]]  # (problem, seed)
State = dict[str, Any]  # of a team's walks: tensors (walks,), and "slots", a tuple of them

# Members of the general frame that have no Keras class here: their rule, their slots, and the settings it takes.
FRAME: dict[str, tuple[Any, ...]] = {
    "SGD": (rules.sgd, (), ("alpha",)),
    "AdaGrad": (rules.adagrad, ("velocity",), ("alpha", "t", "epsilon")),
    "RMSProp": (rules.rmsprop, ("velocity",), ("alpha", "beta_2", "epsilon")),
}


def walk_all(study: SyntheticStudy, journal: Journal) -> None:
    """Walk every path of the study that the journal lacks, and record each."""
    missing = [walk for walk in walks_of(study) if journal.find(walk) is None]
    if missing:
        for walk, path in zip(missing, paths(missing), strict=True):
            journal.write(walk, WalkOutcome.here(path))


def paths(walks: list[Walk]) -> list[dict[str, list[Any]]]:
    """Return, for each walk, its path as lists over log-spaced steps.

    t                step
    x                the point at which step t is paid for
    average_regret   (1/t) sum of f_s(x_s) - f_s(-1) over s <= t
    gamma_min        the lowest Gamma_2 .. Gamma_t, see `keras_amsgrad.diagnostics.gamma`; inf at t = 1
    negative_gamma   the share of Gamma_2 .. Gamma_t that is below 0; nan at t = 1
    largest_step     the largest step so far, before the projection, in units of that step's alpha

    The walks, all of the same length, run together in one compiled loop in float64, on the CPU: a step is a few
    operations on a few numbers, which no GPU can speed up.
    """
    steps = walks[0].steps
    streams = list(dict.fromkeys((walk.problem, walk.seed) for walk in walks))
    teams = [Team(name, walks, streams) for name in dict.fromkeys(walk.optimizer for walk in walks)]
    kept = log_spaced(steps)
    curves: dict[Walk, list[list[float]]] = {walk: [] for walk in walks}
    with keras.device("cpu:0"), _float64():
        # On torch this is plain Python, about 100 times slower.
        run = compiled(lambda states, first, t, end, slopes: _walk(teams, states, first, t, end, slopes), xla=True)
        states, t = [team.start() for team in teams], 1
        for first, slopes in blocks(streams, steps):
            last = min(first + BLOCK - 1, steps)
            for end in [*(each for each in kept if first <= each < last), last]:
                states = run(states, *map(_int, (first, t, end + 1)), slopes)
                t = end + 1
                if end in kept:
                    for team, state in zip(teams, states, strict=True):
                        for walk, *numbers in zip(team.walks, *_numbers(state, end), strict=True):
                            curves[walk].append(numbers)
    return [{"t": kept, **dict(zip(WALK, np.transpose(curves[walk]).tolist(), strict=True))} for walk in walks]


def log_spaced(steps: int) -> list[int]:
    """Return the steps that are kept, 1 to `steps`, evenly spaced in log t."""
    return np.unique(np.geomspace(1, steps, POINTS).round().astype(int)).tolist()


def blocks(streams: Streams, steps: int) -> Iterator[tuple[int, Tensor]]:
    """Yield (first step, slopes (BLOCK, streams)) until `steps` are covered.

    A stream is (problem, seed). NumPy draws its random numbers, so they are the same on every backend, in every
    block size, and for every optimizer.
    """
    draw = [np.random.default_rng(seed).random for _, seed in streams]
    for first in range(1, steps + 1, BLOCK):
        t = np.arange(first, first + BLOCK)
        slopes = [problem.slopes(t, draw[i](BLOCK)) for i, (problem, _) in enumerate(streams)]
        yield first, ops.convert_to_tensor(np.stack(slopes, axis=1))


class Team:
    """The walks of one optimizer, as arrays (walks,)."""

    def __init__(self, optimizer: str, walks: list[Walk], streams: Streams) -> None:
        self.walks = [walk for walk in walks if walk.optimizer == optimizer]
        self.which = np.array([streams.index((walk.problem, walk.seed)) for walk in self.walks])
        self.alpha, self.beta_1, self.beta_2 = (
            _common([getattr(walk, name) for walk in self.walks]) for name in ("alpha", "beta_1", "beta_2")
        )
        self.schedule, self.epsilon = self.walks[0].schedule, self.walks[0].epsilon
        if optimizer in FRAME:
            self.rule, self.slots, self.takes = FRAME[optimizer]
        else:
            correction = self.walks[0].bias_correction
            settings: dict[str, Any] = {} if correction is None else {"bias_correction": correction}
            settings |= {"momentum_decay": None} if optimizer == "Nadam" else {}
            self.keras = getattr(keras_amsgrad, optimizer)(**settings)
            self.rule, self.slots, self.takes = self.keras.rule, self.keras.slots, None

    def own(self, g: Tensor) -> Tensor:
        """Return the slopes of this team's walks, of those of all streams."""
        return g if np.array_equal(self.which, np.arange(g.shape[0])) else ops.take(g, self.which)

    def start(self) -> State:
        """Return the state before the first step."""
        x = np.array([walk.start for walk in self.walks])
        zero, infinity = np.zeros_like(x), np.full_like(x, np.inf)
        state = {
            "x": x,
            "slots": (zero,) * len(self.slots),
            "paid_at": x,
            "regret": zero,
            "inverse": -infinity,  # so that Gamma_1 is inf, never the lowest
            "inverse_before": -infinity,
            "gamma_min": infinity,
            "negative": zero,
            "largest_step": zero,
        }
        return keras.tree.map_structure(ops.convert_to_tensor, state)

    def settings(self, t: Tensor, alpha: Tensor) -> dict[str, Tensor]:
        """Return the rule's settings at step t, a float64 tensor, where the schedule's step size is alpha."""
        numbers = {"alpha": alpha, "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        if self.takes is not None:
            return {name: value for name, value in (numbers | {"t": t}).items() if name in self.takes}
        c_1, c_2 = (rules.one_minus_power(numbers[name], t) for name in ("beta_1", "beta_2"))
        return self.keras.hyperparameters(**numbers, c_1=c_1, c_2=c_2)

    def step(self, state: State, t: Tensor, g: Tensor) -> State:
        """Pay f_t(x_t) = g x_t, move by the rule, and project onto [-1, 1].

        Gamma is counted one step late, by `counted`: so that what it is made of is computed once, not once per use.
        """
        alpha = self.alpha / ops.sqrt(t) if self.schedule == "inverse-sqrt" else self.alpha
        settings = self.settings(t, alpha)
        move, slots = self.rule(g, *state["slots"], **settings)
        return {
            "x": ops.clip(state["x"] - move, -1, 1),
            "slots": slots,
            "paid_at": state["x"],
            "regret": state["regret"] + g * (state["x"] + 1),
            "inverse_before": state["inverse"],
            "inverse": inverse_step_size(self.root(slots), settings["alpha"], settings.get("epsilon", 0.0)),
            "largest_step": rules.larger(ops.abs(move) / alpha, state["largest_step"]),
            **counted(state),
        }

    def root(self, slots: tuple[Tensor, ...]) -> Tensor:
        """Return sqrt(V): what the rule divides by, before epsilon."""
        named = dict(zip(self.slots, slots, strict=True))
        for name, root in ROOTS.items():
            if name in named:
                return named[name] if root is np.asarray else ops.sqrt(named[name])
        return np.ones(len(self.walks))


def counted(state: State) -> State:
    """Return the lowest Gamma and the number of negative ones, the last one included."""
    change = gamma(state["inverse_before"], state["inverse"])
    lowest = ops.where(change < state["gamma_min"], change, state["gamma_min"])
    return {"gamma_min": lowest, "negative": state["negative"] + ops.cast(change < 0, "float64")}


def _walk(teams: list[Team], states: list[State], first: Tensor, t: Tensor, end: Tensor, slopes: Tensor) -> list[State]:
    """Take the steps t .. end - 1; `first` is the step of the first row of `slopes`."""

    def step(t: Tensor, states: list[State]) -> tuple[Tensor, list[State]]:
        g = ops.take(slopes, t - first, axis=0)  # (streams,)
        time = ops.cast(t, "float64")
        return t + 1, [team.step(state, time, team.own(g)) for team, state in zip(teams, states, strict=True)]

    return ops.while_loop(lambda t, states: t < end, step, (t, states))[1]


def _numbers(state: State, t: int) -> np.ndarray:
    """Return what `WALK` names of a team's walks, (5, walks)."""
    of = {name: ops.convert_to_numpy(value) for name, value in (state | counted(state)).items() if name != "slots"}
    share = of["negative"] / (t - 1) if t > 1 else np.full_like(of["negative"], np.nan)
    return np.stack([of["paid_at"], of["regret"] / t, of["gamma_min"], share, of["largest_step"]])


def _common(values: list[float]) -> float | np.ndarray:
    """Return an array (walks,), or the number that they have in common, which is cheaper in the loop."""
    return values[0] if len(set(values)) == 1 else np.array(values)


def _int(number: int) -> Tensor:
    return ops.convert_to_tensor(number, "int32")


def _float64() -> contextlib.AbstractContextManager[Any]:
    """Return a context in which the backend calculates in float64; only JAX has to be asked."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.enable_x64(True)
    return contextlib.nullcontext()
