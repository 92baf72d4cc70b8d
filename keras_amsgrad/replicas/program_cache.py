"""The network of all replicas of a call, and the programs compiled from it."""

import threading
from collections.abc import Callable, Hashable
from typing import Any

import keras
from keras import ops

from keras_amsgrad.replicas import settings
from keras_amsgrad.replicas.chunks import Chunk
from keras_amsgrad.replicas.measures import Measures
from keras_amsgrad.replicas.program import Program
from keras_amsgrad.replicas.replica import Weights
from keras_amsgrad.replicas.stacked_program import StackedProgram


class ProgramCache:
    """Builds the network once for each seed, and compiles one program for all chunks that can share it.

    Args:
        model: A function without arguments that returns a new Keras model.
        steps: About how many steps all chunks train together; see `Program`.

    Set `measures`, what is measured of all replicas, before the first `program`.
    """

    measures: Measures

    def __init__(self, model: Callable[[], keras.Model], steps: int) -> None:
        self.model, self.steps = model, steps
        self.template: keras.Model | None = None
        self.initial_weights: dict[int, Weights] = {}
        self.programs: dict[Hashable, StackedProgram] = {}
        self.lock = threading.Lock()

    def weights_for(self, seed: int) -> Weights:
        """Return the values of `model.variables` with which a fit with this seed starts.

        The first call for a seed sets the random state of the process: make it from the main thread, and within
        `random_state.preserved`.
        """
        if seed not in self.initial_weights:
            keras.utils.set_random_seed(seed)
            network = self.model()
            self.template = self.template or network
            self.initial_weights[seed] = [ops.convert_to_numpy(variable) for variable in network.variables]
        return self.initial_weights[seed]

    def template_for(self, seed: int) -> keras.Model:
        """Return the network from which all programs are made; if there is none yet, build it with this seed."""
        self.weights_for(seed)
        return self.template

    @property
    def metrics(self) -> list[Any]:
        """The metrics of the network, of which callbacks ask whether more is better."""
        return self.template.metrics if self.template else []

    def key(self, chunk: Chunk) -> Hashable:
        """Return what a chunk shares with others whose groups can train in the same program."""
        forms = chunk.forms[: chunk.size]
        schedules = {name: [s.get_config() for s in each] for name, each in settings.scheduled(forms).items()}
        return forms[0].key, len(forms), repr(schedules)

    def program(self, chunk: Chunk) -> StackedProgram:
        """Return the program that trains a chunk; safe to call from several threads."""
        key = self.key(chunk), len(chunk.leaders)
        with self.lock:
            if key not in self.programs:
                program = Program(self.template, chunk.forms[: chunk.size], self.measures, self.steps)
                self.programs[key] = StackedProgram(program, groups=len(chunk.leaders))
            return self.programs[key]
