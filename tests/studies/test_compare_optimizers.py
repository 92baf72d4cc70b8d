"""What comparisons of one's own compare and search over: optimizers by name and as objects, any of their numbers."""

import dataclasses
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
from keras.optimizers import SGD, AdamW, RMSprop
from keras.optimizers.schedules import ExponentialDecay

import studies
from keras_amsgrad import Adam, AMSGrad, Nadam, Yogi
from keras_amsgrad.replicas.keras_rules import RULES
from studies.arms import ARMS, GRID, OF_KERAS, OF_NO_STUDY, check_choices
from studies.catalog import Setting
from studies.catalog.optimizers import numbers_of
from studies.command_line.main import main
from studies.errors import StudyError
from studies.training.build import class_of, optimizer_of
from tests.models import OPTIMIZERS
from tests.own_models import HERE, digits, small

RATES = {"learning_rate": [0.01]}


def compared(out, engine="replicas", **choices):
    how = {"out": out, "engine": engine, "verbose": 0, "epochs": 1, "seeds": 1}
    return studies.compare(small, *digits(), **how | choices)


def test_every_optimizer_of_the_library_and_of_its_searches_can_be_compared():
    """Each is made with the settings that the page of a comparison states."""
    assert {cls.__name__ for cls in OPTIMIZERS} | set(RULES) == set(ARMS)
    for name in ARMS:
        arm = dataclasses.replace(ARMS[name], learning_rate=0.01)
        optimizer = optimizer_of(SimpleNamespace(**vars(arm), batch_size=32, epochs=1), rows=64)
        ours = type(optimizer).__module__.startswith("keras_amsgrad.")
        usual = {"AdaBelief": 1e-16, "Yogi": 1e-3}.get(name, 1e-8 if ours else 1e-7)
        assert type(optimizer).__name__ == name
        assert getattr(optimizer, "epsilon", usual) == usual
        assert getattr(optimizer, "bias_correction", None) in (None, name in ("Adam", "AMSGrad"))
        assert getattr(optimizer, "momentum", 0) == (0.9 if name == "SGD" else 0)


@pytest.mark.parametrize("name", ARMS)
def test_a_grid_may_have_every_number_of_an_optimizer_and_no_other(name):
    config, numbers = class_of(name)().get_config(), set(numbers_of(name))
    of_floats = {setting for setting, value in config.items() if isinstance(value, float)}
    assert of_floats - {"ema_momentum"} <= numbers <= set(config)


@pytest.mark.parametrize(
    ("optimizer", "label", "options"),
    [
        pytest.param(AMSGrad(), "AMSGrad", {}, id="as by name"),
        pytest.param(AMSGrad(0.3, beta_2=0.5), "AMSGrad", {}, id="what the grid replaces"),
        pytest.param(AMSGrad(beta_1=0.8), "AMSGrad, beta_1=0.8", {"beta_1": 0.8}, id="of ours"),
        pytest.param(AdamW(weight_decay=1e20), "AdamW, weight_decay=1e20", {"weight_decay": 1e20}, id="of Keras"),
        pytest.param(AdamW(amsgrad=True), "AdamW, amsgrad=True", {"amsgrad": True}, id="a choice"),
        pytest.param(SGD(), "SGD, momentum=0.0", {}, id="the class's default, which the name does not have"),
        pytest.param(SGD(momentum=0.9), "SGD", {"momentum": 0.9}, id="what the name has"),
        pytest.param(Nadam(momentum_decay=None), "Nadam", {"momentum_decay": None}, id="none"),
        pytest.param(Yogi(bias_correction=True), "Yogi, bias_correction=True", {}, id="bias correction"),
    ],
)
def test_settings_of_an_optimizer_are_its_arms(optimizer, label, options):
    (_, arm), _ = check_choices(["Adam", optimizer], GRID)
    assert (arm.label, arm.options) == (label, options)
    assert (arm.learning_rate, arm.beta_2) == (None, None)


def test_numbers_that_a_grid_does_not_name_hold_for_all_fits():
    optimizers = ["Adam", AMSGrad(0.3, beta_2=0.5), RMSprop(), "SGD"]
    arms, search = check_choices(optimizers, {"weight_decay": [0, 0.1], "momentum": np.array([0.5])})
    settings = [search.settings(arm) for arm in arms]
    assert settings[0] == (Setting(0.001, None, {"weight_decay": 0.0}), Setting(0.001, None, {"weight_decay": 0.1}))
    assert settings[1] == (Setting(0.3, 0.5, {"weight_decay": 0.0}), Setting(0.3, 0.5, {"weight_decay": 0.1}))
    assert settings[2][1] == Setting(0.001, None, {"weight_decay": 0.1, "momentum": 0.5})
    assert settings[3][1] == Setting(0.01, None, {"weight_decay": 0.1, "momentum": 0.5})
    assert arms[3].at(settings[3][1]).options == {"weight_decay": 0.1, "momentum": 0.5}
    assert str(settings[1][1]) == "α = 0.3, β₂ = 0.5, weight_decay = 0.1"


def test_a_grid_is_all_that_is_searched():
    (adam, sgd), search = check_choices(["Adam", "SGD"], {"learning_rate": [0.5]})
    assert search.settings(adam) == search.settings(sgd) == (Setting(0.5, None),)


def test_the_reference_is_adam_as_by_default_or_else_the_first_adam():
    of_own = Adam(beta_1=0.8)
    assert [arm.label for arm in check_choices([of_own, "Adam"], GRID)[0]] == ["Adam", "Adam, beta_1=0.8"]
    reference, _ = check_choices(["AMSGrad", of_own], GRID)[0]
    assert (reference.label, reference.options) == ("Adam", {"beta_1": 0.8})


def not_all_decayed():
    optimizer = AdamW()
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


class Own(AdamW):
    pass


Own.__name__ = "AdamW"


@pytest.mark.parametrize(
    ("optimizers", "grid", "said"),
    [
        ("AMSGrad", GRID, "optimizers must be a list, .* not 'AMSGrad'"),
        (["Adam", 3], GRID, "optimizers must hold names and optimizers, .* not 3"),
        (["Adam", AdamW], GRID, "optimizers must hold names and optimizers, .* not <class"),
        (["Adam", keras.optimizers.Ftrl()], GRID, "no optimizer 'Ftrl'; there are Adam, .*, Lion"),
        (["Adam", keras.optimizers.Adam()], GRID, "Adam must be keras_amsgrad.Adam, not keras.src"),
        (["Adam", Own()], GRID, "AdamW must be keras.optimizers.AdamW, not tests.studies"),
        (
            ["Adam", AdamW(ExponentialDecay(0.1, 1, 0.9))],
            GRID,
            "learning_rate of AdamW must be a number: .* no schedules",
        ),
        (["Adam", not_all_decayed()], GRID, "AdamW must be without `exclude_from_weight_decay`"),
        (["Adam", Adam()], GRID, "optimizers holds Adam twice"),
        (["Adam", AdamW(weight_decay=0.1), AdamW(weight_decay=1.0)], {"weight_decay": [0]}, "holds AdamW twice"),
        (["AMSGrad", AdamW()], GRID, r"judged against Adam; not \['AMSGrad', 'AdamW'\]"),
        (
            ["Adam", "Lion"],
            {"lr": [0.1]},
            "no lr in a grid of these; there are learning_rate, beta_1, beta_2, epsilon,",
        ),
        (["Adam", "Lion"], {"beta2": [0.9]}, "no beta2 in a grid of these; .*; did you mean beta_2?"),
        (["Adam", "Lion"], {"momentum": [0.9]}, "no momentum in a grid of these; there are"),
        (["Adam", "Lion"], {"ema_momentum": [0.9]}, "no ema_momentum in a grid of these; there are"),
        (["Adam", "Lion"], {"learning_rate": 0.1}, r"values of learning_rate must be a list, \[0.1\] say, not 0.1"),
        (
            ["Adam", "Lion"],
            {"learning_rate": [0]},
            "values of learning_rate must be numbers above 0, one at least; not",
        ),
        (["Adam", "Lion"], {"beta_2": ["0.9"]}, "values of beta_2 must be numbers, one at least; not"),
        (["Adam", "Lion"], {"beta_1": [2]}, "Adam cannot have α = 0.001, beta_1 = 2.0: `beta_1` must be a number in"),
        (["Adam", "SGD"], {"momentum": [2]}, "SGD cannot have α = 0.01, momentum = 2.0: `momentum` must be"),
        (["Adam", "Lion"], {"clipnorm": [1], "clipvalue": [1]}, "Adam cannot have .*: Only one of `clipnorm`,"),
        (["Adam", "Lion"], {}, "grid must be a dictionary, .* not {}"),
        (["Adam", "Lion"], [0.1], r"grid must be a dictionary, .* not \[0.1\]"),
    ],
)
def test_what_cannot_be_compared_or_searched_is_refused_in_one_line(optimizers, grid, said):
    with pytest.raises(StudyError, match=said) as refused:
        check_choices(optimizers, grid)
    assert "\n" not in str(refused.value)


@pytest.fixture(scope="module")
def of_two_decays(tmp_path_factory):
    """A comparison of Adam with two of AdamW, which are searched over momenta, and its folder."""
    out = tmp_path_factory.mktemp("decays")
    two = [AdamW(weight_decay=decay) for decay in (0.01, 0.1)]
    choices = {"optimizers": [Adam(epsilon=1e-6), *two], "grid": RATES | {"beta_1": [0.5, 0.9]}}
    return compared(out, seeds=2, **choices), out


def test_two_optimizers_of_a_class_are_told_apart_everywhere(of_two_decays):
    found, out = of_two_decays
    names = [f"AdamW (weight_decay = {decay})" for decay in (0.01, 0.1)]
    assert [text.partition("'s final")[0] for text in found.own["text"]] == [name for name in names for _ in range(2)]
    assert (found.own["n"] == 2).all()
    assert found.own["estimate"].nunique() > 2
    assert set(pd.read_csv(out / "answer.csv")["optimizer"]) == set(names)
    page = (out / "report.html").read_text()
    assert f"Does {' or '.join(names)} beat Adam on your model?" in page
    assert "Adam, with which the others are compared, has epsilon = 1e-06 in all its runs." in page


def test_what_a_search_chose_is_in_the_tables_and_on_the_page(of_two_decays):
    found, out = of_two_decays
    search, repeats = (found.runs[found.runs["stage"] == stage] for stage in ("search", "repeat"))
    tried = search.groupby(["optimizer", "variant", "options"])["val_loss"].agg(["mean", "size"]).reset_index()
    assert (tried["size"] == 3).all()
    assert len(tried) == 3 * 2
    best = tried.loc[tried.groupby(["optimizer", "variant"])["mean"].idxmin()]
    assert set(best["options"]) == set(repeats["options"])
    page = (out / "report.html").read_text()
    assert "further settings" in page
    assert all(options in page for options in best["options"])
    assert not (out / "figures" / "compare-small-arrays-search.png").exists()  # a heat map has no room for beta_1


@pytest.mark.slow
def test_optimizers_by_name_and_as_objects_train_alike_by_both_engines(tmp_path):
    own = [AMSGrad(beta_1=0.8), AdamW(amsgrad=True), SGD(momentum=0.5, nesterov=True), RMSprop(centered=True)]
    choices = {"optimizers": ["Adam", *OF_NO_STUDY, *OF_KERAS, *own], "grid": RATES | {"weight_decay": [0.1]}}
    of_both_engines(tmp_path, **choices)


@pytest.mark.slow
def test_grids_over_any_numbers_train_alike_by_both_engines(tmp_path):
    grid = RATES | {"beta_2": [0.5, 0.999], "momentum": [0, 0.9], "weight_decay": [0, 0.1]}
    runs = of_both_engines(tmp_path, optimizers=["Adam", "Lion", "SGD"], grid=grid)
    search = runs[runs["stage"] == "search"]
    assert (search.groupby(["optimizer", "fold"])["val_loss"].nunique() == 4).all()


def of_both_engines(out, **choices):
    """Return the runs of a comparison, after a check that both engines give the same."""
    runs = [compared(out / engine, engine, **choices).runs for engine in ("replicas", "gridsearch")]
    assert (runs[0]["status"] == "ok").all()
    for column in ("train_loss", "val_loss"):
        np.testing.assert_allclose(runs[0][column], runs[1][column], rtol=1e-5)
    return runs[0]


@pytest.mark.slow
def test_grids_add_up_in_the_shell_and_the_command_says_them(tmp_path):
    np.savez(tmp_path / "digits.npz", **dict(zip(("x_train", "y_train"), digits(), strict=True)))
    grids = ["--grid", "learning_rate=0.01,0.1", "--grid", "weight_decay=0,0.01"]
    sizes = ["--seeds", "1", "--epochs", "1", "--out", str(tmp_path)]
    command = ["compare", f"{HERE}:small", "--data", str(tmp_path / "digits.npz"), "--optimizers", "Adam,Lion"]
    assert main([*command, *grids, *sizes]) == 0
    runs = studies.results(tmp_path).runs
    assert runs.groupby("stage").size().to_dict() == {"search": 2 * 4 * 3, "repeat": 2}
    page = (tmp_path / "report.html").read_text()
    assert "--grid &#39;learning_rate=0.01,0.1;weight_decay=0,0.01&#39;" in page
