"""Examples for the pages of names whose docstrings have none. Tests run them."""

CLASSIFIER = """
>>> import keras
>>> from keras_amsgrad import AMSGrad
>>> from scikeras.wrappers import KerasClassifier
>>> from sklearn.datasets import load_iris
>>> from sklearn.model_selection import StratifiedKFold
>>> def model():
...     return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
>>> loss = "sparse_categorical_crossentropy"
>>> classifier = KerasClassifier(model, loss=loss, optimizer=AMSGrad, epochs=3, random_state=0, verbose=0)
>>> rates = {"optimizer__learning_rate": [1e-5, 1e-2, 0.1]}
"""

EXAMPLES = {
    "keras_amsgrad.model_selection.ReplicaRandomizedSearchCV": f"""{CLASSIFIER}
>>> from keras_amsgrad.model_selection import ReplicaRandomizedSearchCV
>>> search = ReplicaRandomizedSearchCV(classifier, rates, n_iter=2, cv=StratifiedKFold(3), random_state=0)
>>> len(search.fit(*load_iris(return_X_y=True)).cv_results_["params"])
2
""",
    "keras_amsgrad.model_selection.ReplicaHalvingGridSearchCV": f"""{CLASSIFIER}
>>> from keras_amsgrad.model_selection import ReplicaHalvingGridSearchCV
>>> search = ReplicaHalvingGridSearchCV(
...     classifier, rates, resource="epochs", min_resources=1, max_resources=9, cv=StratifiedKFold(3))
>>> search.fit(*load_iris(return_X_y=True)).n_resources_
[1, 3]
""",
    "keras_amsgrad.model_selection.ReplicaHalvingRandomSearchCV": f"""{CLASSIFIER}
>>> from keras_amsgrad.model_selection import ReplicaHalvingRandomSearchCV
>>> search = ReplicaHalvingRandomSearchCV(
...     classifier, rates, n_candidates=3, resource="epochs", min_resources=1, max_resources=9, cv=StratifiedKFold(3))
>>> search.fit(*load_iris(return_X_y=True)).n_resources_
[1, 3]
""",
    "keras_amsgrad.model_selection.ReplicaWarning": """
>>> import warnings
>>> from keras_amsgrad.model_selection import ReplicaWarning
>>> with warnings.catch_warnings():
...     warnings.simplefilter("error", ReplicaWarning)  # in this block, a fit that trains by itself is an error
""",
    "keras_amsgrad.model_selection.ResumeError": f"""{CLASSIFIER}
>>> import tempfile
>>> from keras_amsgrad.model_selection import ReplicaGridSearchCV, ResumeError
>>> with tempfile.NamedTemporaryFile() as file:  # a file where a folder should be
...     search = ReplicaGridSearchCV(classifier, rates, cv=StratifiedKFold(3), resume=file.name)
...     try:
...         search.fit(*load_iris(return_X_y=True))
...     except ResumeError as error:
...         print(file.name in str(error))
True
""",
    "keras_amsgrad.model_selection.WorkersError": """
>>> from keras_amsgrad.model_selection import WorkersError
>>> issubclass(WorkersError, RuntimeError)  # what was kept with `resume` stays, and the same search goes on
True
""",
}


def example(name: str) -> str:
    """Return the example for the page of a name, without empty lines around it; empty where its docstring has one.

    >>> example("keras_amsgrad.AMSGrad")
    ''
    """
    return EXAMPLES.get(name, "").replace("\n\n", "\n").strip()
