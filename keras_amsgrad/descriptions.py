"""Python values and code, taken apart into comparable pieces: what a function or an object is, beyond its name."""

import dis
import functools
import hashlib
import inspect
import io
import pickle
import sys
import sysconfig
import textwrap
import tokenize
import types
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

# Their functions and classes are known by name: the versions stand in the records.
LIBRARIES = {"keras", "numpy", "tensorflow", "jax", "jaxlib", "torch", *sys.stdlib_module_names} - {"__main__"}
PACKAGES = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
NO_FILES = {"<string>", "<stdin>"}  # of code without a file; other code may be kept there
DEEPEST = 60  # steps from an object to what it holds
# What every layer, operation and model has: names, nodes, what `compile` was told and other bookkeeping.
COMPILED = {"optimizer", "stop_training", "_compile_config", "_compiled_trainable_state"}
OF_EVERY_LAYER = {*(*vars(keras.layers.Layer()), *vars(keras.Operation()), *vars(keras.Model()), *COMPILED)} - {
    "activity_regularizer"
}


class Description:
    """Pieces of values by path, {path: text}, and what could not be described, {path: reason}.

    `internal` are the paths of what objects of a library hold, which may differ from one build to the next.

    Functions are described by source and instructions, with their defaults, what they enclose, and the globals of the
    user's modules that they name; classes by source, methods and bases; other objects by class and attributes.
    Functions and classes of `libraries` are described by their names.
    """

    libraries = LIBRARIES

    def __init__(self, positions: dict[int, str] | None = None) -> None:
        self.pieces: dict[str, str] = {}
        self.unknown: dict[str, str] = {}
        self.internal: set[str] = set()
        self.positions = positions or {}  # of layers, operations and weights that are described elsewhere, by id
        self.seen: dict[int, tuple[str, object]] = {}

    def add(self, path: str, value: Any, inside_library: bool = False) -> None:
        """Describe a value and what it holds; undescribable parts of a library's own objects are passed over."""
        if inside_library:
            self.internal.add(path)
        if value is None or isinstance(value, (bool, int, float, complex, str, bytes, slice, range, type(...))):
            self.pieces[path] = repr(value)
        elif id(value) in self.positions:
            self.pieces[path] = self.positions[id(value)]
        elif isinstance(value, (np.ndarray, np.generic, keras.Variable)) or keras.ops.is_tensor(value):
            self._array(path, value)
        elif isinstance(value, types.ModuleType):
            self.pieces[path] = f"module {value.__name__}"
        elif isinstance(value, keras.KerasTensor):
            self.pieces[path] = f"tensor {value.shape} {value.dtype}"
        elif isinstance(value, tuple):  # which equal ones are one object depends on how the module was compiled
            self._each(path, value, inside_library)
        elif id(value) in self.seen:
            self.pieces[path] = f"the same as {self.seen[id(value)][0]}"
        elif path.count("/") > DEEPEST:
            self.unknown[path] = f"{path.split('/')[0]} holds objects in objects without end"
        else:
            self.seen[id(value)] = path, value  # the value too: an id is another's once its object is gone
            self._add_compound(path, value, inside_library)

    def _add_compound(self, path: str, value: Any, inside_library: bool) -> None:
        if isinstance(value, dict):
            self._each(path, [each for item in value.items() for each in item], inside_library)
        elif isinstance(value, list):
            self._each(path, value, inside_library)
        elif isinstance(value, (set, frozenset)):
            self._each(path, sorted(value, key=repr), inside_library)
        elif isinstance(value, (staticmethod, classmethod, types.MethodType)):
            self.add(f"{path}/function", value.__func__)
            self.add(f"{path}/self", getattr(value, "__self__", None))
        elif isinstance(value, property):
            self._each(path, (value.fget, value.fset))
        elif isinstance(value, functools.partial):
            self._each(path, (value.func, value.args, value.keywords))
        elif isinstance(value, type):
            self._class(path, value)
        elif isinstance(value, types.FunctionType):
            self._function(path, value)
        elif hasattr(value, "__wrapped__") or hasattr(value, "python_function"):  # compiled by JAX or TensorFlow
            self.add(f"{path}/wrapped", getattr(value, "__wrapped__", None) or value.python_function)
        elif callable(value) and (name := self._library_name(value)):
            self.pieces[path] = name
        elif isinstance(value, (types.BuiltinFunctionType, np.ufunc)) or "cython" in type(value).__name__:
            self.unknown[path] = f"the source of {_named(value)} cannot be found"
        else:
            self._object(path, value, inside_library)

    def _each(self, path: str, values: Sequence[Any], inside_library: bool = False) -> None:
        self.pieces[path] = f"{len(values)} values"
        for k, value in enumerate(values):
            self.add(f"{path}/{k}", value, inside_library)

    def _array(self, path: str, value: Any) -> None:
        array = np.asarray(value if isinstance(value, (np.ndarray, np.generic)) else keras.ops.convert_to_numpy(value))
        if array.dtype.hasobject:
            self._each(path, array.ravel().tolist())
        else:
            self.pieces[path] = digest_of(array)

    def _function(self, path: str, function: types.FunctionType, in_class: bool = False) -> None:
        if name := self._library_name(function):
            self.pieces[path] = name
            return
        if not in_class:
            self._source(path, function)
        code = function.__code__
        self.pieces[f"{path}/code"] = _digest(_instructions(code))
        self.add(f"{path}/defaults", [function.__defaults__, function.__kwdefaults__])
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            try:
                self.add(f"{path}/{name}", cell.cell_contents)
            except ValueError:  # not set yet
                self.pieces[f"{path}/{name}"] = "empty"
        if not _installed(_module_of(function)):
            self._globals(path, function.__globals__, code)

    def _globals(self, path: str, known: dict[str, Any], code: types.CodeType) -> None:
        names = _names(code)  # of attributes too
        for name in sorted(_global_names(code) & known.keys()):
            value = known[name]
            if isinstance(value, types.ModuleType) and not (
                self._is_library(value.__name__) or _installed(value.__name__)
            ):
                for attribute in sorted(names & vars(value).keys()):
                    self.add(f"{path}/{name}.{attribute}", vars(value)[attribute])
            elif not isinstance(value, types.ModuleType):
                self.add(f"{path}/{name}", value)

    def _class(self, path: str, kind: type) -> None:
        if name := self._library_name(kind):
            self.pieces[path] = name
            return
        self._source(path, kind)
        for name, value in vars(kind).items():
            if isinstance(value, types.FunctionType):
                self._function(f"{path}/{name}", value, in_class=True)
            elif not name.startswith("__") and name != "_abc_impl":
                self.add(f"{path}/{name}", getattr(value, "func", value))
        self._each(f"{path}/bases", kind.__bases__)

    def _object(self, path: str, value: Any, inside_library: bool) -> None:
        kind = type(value)
        keras_own = kind.__module__.startswith("keras.")
        self.add(f"{path}/class", kind)
        if not keras_own and (self._is_library(kind.__module__) or not hasattr(value, "__dict__")):
            self._pickled(path, value, inside_library)
            return
        if isinstance(value, keras.Operation):
            self.layer(path, value)
            return
        for name, held in vars(value).items():
            if not (keras_own and name in ("name", "_name")):
                self.add(f"{path}/{name}", held, inside_library=keras_own)

    def layer(self, path: str, layer: keras.Operation) -> None:
        """Describe what a layer or operation holds beside its configuration and the model's weights."""
        self.add(f"{path}/class", type(layer))
        keras_own = type(layer).__module__.startswith("keras.") and isinstance(layer, keras.Layer)
        for name, held in vars(layer).items():
            if name in OF_EVERY_LAYER or name.startswith("_self_"):
                continue
            if not (keras_own and _is_plain(held)):  # its configuration says it
                self.add(f"{path}/{name}", held, inside_library=type(layer).__module__.startswith("keras."))

    def _pickled(self, path: str, value: Any, inside_library: bool) -> None:
        file = io.BytesIO()
        pickler = _Pickler(file, protocol=4)
        try:
            pickler.dump(value)
            self.pieces[path] = _digest(file.getvalue())
            self._each(f"{path}/code", [each for each in pickler.code if each is not type(value)])
        except Exception:  # whatever an object's own pickling does
            if not inside_library:
                self.unknown[path] = f"{_named(value)} cannot be told from another"

    def _source(self, path: str, value: Any) -> None:
        try:
            if inspect.getfile(value) in NO_FILES:
                raise OSError(f"{inspect.getfile(value)} is not a file.")
            self.pieces[path] = _digest(textwrap.dedent(inspect.getsource(value)).encode())
        except (OSError, TypeError, SyntaxError, IndexError, tokenize.TokenError):
            self.unknown[path] = f"the source of {_named(value)} cannot be found"

    def _is_library(self, module: str | None) -> bool:
        return (module or "").partition(".")[0] in self.libraries

    def _library_name(self, value: Any) -> str | None:
        """Return the name of a function or class of `libraries`, or None."""
        name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
        if isinstance(value, np.ufunc):
            return f"numpy.{name}" if getattr(np, str(name), None) is value else None
        module = _module_of(value)
        return f"{module}.{name}" if isinstance(name, str) and self._is_library(module) else None


class _Pickler(pickle.Pickler):
    """A pickler that notes the functions and classes it meets, of which a pickle holds the names only."""

    def __init__(self, file: io.BytesIO, protocol: int) -> None:
        super().__init__(file, protocol)
        self.code: list[type | types.FunctionType] = []

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, (type, types.FunctionType)):
            self.code.append(value)
        return NotImplemented


def digest_of(array: np.ndarray) -> str:
    """Return a text that tells an array from others by shape, type and bytes."""
    return f"{array.dtype} {array.shape} {_digest(np.ascontiguousarray(array).tobytes())}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _instructions(code: types.CodeType) -> bytes:
    """Return the compiled form of a function, without its place in a file."""
    constants = [
        _instructions(each)
        if isinstance(each, types.CodeType)
        else repr(sorted(map(repr, each)) if isinstance(each, frozenset) else each).encode()
        for each in code.co_consts
    ]
    names = repr((code.co_names, code.co_varnames, code.co_freevars, code.co_argcount, code.co_flags)).encode()
    return b"\0".join([code.co_code, names, *constants])


def _names(code: types.CodeType) -> set[str]:
    nested = (each for each in code.co_consts if isinstance(each, types.CodeType))
    return set(code.co_names).union(*map(_names, nested))


def _global_names(code: types.CodeType) -> set[str]:
    nested = (each for each in code.co_consts if isinstance(each, types.CodeType))
    own = (each.argval for each in dis.get_instructions(code) if each.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    return set(own).union(*map(_global_names, nested))


def _installed(module: str | None) -> bool:
    file = getattr(sys.modules.get(module or ""), "__file__", None) or ""
    return file.startswith(PACKAGES)


def _module_of(value: Any) -> str | None:
    if isinstance(value, types.FunctionType):  # functools.wraps gives it another's __module__
        return value.__globals__.get("__name__")
    return getattr(value, "__module__", None) or type(getattr(value, "__self__", None)).__module__


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str, np.ndarray)) or keras.ops.is_tensor(value)


def _named(value: Any) -> str:
    return getattr(value, "__qualname__", None) or getattr(value, "__name__", None) or f"a {type(value).__name__}"
