"""The network of all replicas of a call, and the programs compiled from it."""

import dataclasses
import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import keras
from keras import ops

from keras_amsgrad.replicas import settings
from keras_amsgrad.replicas.chunks import Chunk
from keras_amsgrad.replicas.measures import Measures
from keras_amsgrad.replicas.program import Program, saves_more_than_compilation_takes
from keras_amsgrad.replicas.replica import Weights
from keras_amsgrad.replicas.stacked_program import StackedProgram
from keras_amsgrad.replicas.strengths import strengths


class ProgramCache:
    """Builds the network once for each seed, and compiles one program for all chunks that can share it.

    Several calls of `train` may share a cache if model, loss, metrics and callbacks are alike: what one has compiled
    serves the next.

    Args:
        model: A function without arguments that returns a new Keras model.

    Attributes:
        measures: What is measured of the replicas of this call; set by `measure`.
        steps: About how many steps all chunks of this call train together; see `Program`.
        earlier: Chunks of calls in an earlier process that shared a cache of this network, with the `steps` of their
            calls: the next call finds their programs, as if it had followed in the same process.
    """

    measures: Measures
    steps: int

    def __init__(self, model: Callable[[], keras.Model]) -> None:
        self.model = model
        self.template: Any = None  # the first network that was built
        self.initial_weights: dict[int, Weights] = {}
        self.weighted: bool | None = None
        self.programs: dict[Hashable, StackedProgram] = {}
        self.earlier: list[tuple[Chunk, int]] = []
        self.lock = threading.Lock()

    def measure(self, weighted: bool, compute: Callable[[], Measures]) -> None:
        """Set what is measured, with weights of rows or without; `compute()` gives it where it is another."""
        if self.weighted != weighted:
            self.weighted, self.measures, self.programs = weighted, compute(), {}

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
    def strengths(self) -> tuple[float, ...] | None:
        """The strengths that programs have where replicas have none of their own; None if there is no network yet."""
        return strengths(self.template) if self.template else None

    @property
    def metrics(self) -> list[Any]:
        """The metrics of the network, of which callbacks ask whether more is better."""
        return self.template.metrics if self.template else []

    def key(self, chunk: Chunk) -> Hashable:
        """Return what a chunk shares with others whose groups can train in the same program."""
        forms = chunk.forms[: chunk.size]
        schedules = {name: [s.get_config() for s in each] for name, each in settings.scheduled(forms).items()}
        return forms[0].key, len(forms), repr(schedules)

    def with_room(self, chunk: Chunk) -> Chunk:
        """Return a chunk with the size of a program that is there already, if that costs less than another program.

        The places that stay empty train as the last replica does.
        """
        if len(chunk.leaders) > 1:
            return chunk
        sizes = sorted({program.count for program in self.programs.values() if program.count >= chunk.size})
        larger = [dataclasses.replace(chunk, size=size) for size in sizes]
        there = next((each for each in larger if self._place(each) in self.programs), chunk)
        takes_long = saves_more_than_compilation_takes(self.template, there.size, self.steps)
        return chunk if takes_long else there

    def add_earlier(self) -> None:
        """Make the programs of `earlier`. Nothing is traced before a chunk trains."""
        steps = self.steps
        for chunk, of_its_call in self.earlier:
            self.steps = of_its_call
            self.program(chunk)
        self.steps, self.earlier = steps, []

    def first_of_each(self, chunks: Sequence[Chunk]) -> list[int]:
        """Return the position of the first chunk of each program."""
        return sorted({self._place(chunk): i for i, chunk in reversed(list(enumerate(chunks)))}.values())

    def program(self, chunk: Chunk) -> StackedProgram:
        """Return the program that trains a chunk; safe to call from several threads."""
        with self.lock:
            place = self._place(chunk)
            if place not in self.programs:
                forms = chunk.forms[: chunk.size]
                program = Program(self.template, forms, self.measures, self.steps)
                self.programs[place] = StackedProgram(program, groups=len(chunk.leaders))
            return self.programs[place]

    def _place(self, chunk: Chunk) -> Hashable:
        return self.key(chunk), len(chunk.leaders)
