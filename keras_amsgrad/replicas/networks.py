"""What is built and compiled once for all replicas of a call."""

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import keras
from keras import ops

from keras_amsgrad.optimizers import RuleOptimizer
from keras_amsgrad.replicas import settings
from keras_amsgrad.replicas.lanes import Lanes
from keras_amsgrad.replicas.program import Program, metrics_of
from keras_amsgrad.replicas.replica import Weights


class Networks:
    """The network of all replicas, its weights at the start for each seed, and the programs made from it."""

    def __init__(self, model: Callable[[], keras.Model], loss: Any, steps: int) -> None:
        self.model, self.loss, self.steps = model, loss, steps
        self.template: keras.Model | None = None
        self.starts: dict[int, Weights] = {}
        self.programs: dict[Hashable, Lanes] = {}
        self.lock = threading.Lock()

    def template_for(self, seed: int) -> keras.Model:
        self.start(seed)
        return self.template

    def start(self, seed: int) -> Weights:
        """Return the values of the variables with which a fit with this seed starts."""
        if seed not in self.starts:
            keras.utils.set_random_seed(seed)
            network = self.model()
            self.template = self.template or network
            self.starts[seed] = [ops.convert_to_numpy(variable) for variable in network.variables]
        return self.starts[seed]

    def key(self, optimizers: Sequence[RuleOptimizer]) -> Hashable:
        """Return what replicas with these optimizers share with others that run in the same program."""
        own = {name: [s.get_config() for s in each] for name, each in settings.scheduled(optimizers).items()}
        return settings.program_key(optimizers[0]), len(optimizers), repr(own)

    def program(self, optimizers: Sequence[RuleOptimizer], lanes: int) -> Lanes:
        """Return the program for so many lanes of replicas with these optimizers, those of the first lane."""
        key = self.key(optimizers), lanes
        with self.lock:
            if key not in self.programs:
                self.programs[key] = Lanes(Program(self.template, optimizers, self.loss, self.steps), lanes)
            return self.programs[key]

    def measured(self, validated: bool) -> tuple[str, ...]:
        """Return the names in a replica's history."""
        names = metrics_of(keras.losses.get(self.loss))
        return (*names, *(f"val_{name}" for name in names)) if validated else names
