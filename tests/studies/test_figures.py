"""Figures from made-up rows: each shows what was run, says what is missing, and can be told apart without colours."""

import dataclasses
import itertools

import matplotlib
import numpy as np
import pandas as pd
import pytest
import scipy.stats
from matplotlib.figure import Figure

from studies.catalog import STUDIES
from studies.figures import bennatan, bushaev, dots, grids, korzeniowski, lines, of_source, perez, reddi, style, svg
from tests import made_up

PLAIN = [{"optimizer": name} for name in ("Adam", "AMSGrad")]
STUDY = STUDIES["mcgill-logistic"]


def together(*pairs):
    return [pd.concat(parts, ignore_index=True) for parts in zip(*pairs, strict=True)]


def labels(ax):
    return set(ax.get_legend_handles_labels()[1])


def test_a_search_and_its_repeats_get_the_sources_figures():
    search = made_up.fits("mcgill-logistic", made_up.grid(), stage="search", seeds=1, folds=(0, 1, 2), epochs=3)
    repeats = made_up.fits("mcgill-logistic", PLAIN, seeds=5)
    names = [each.name for each in bennatan.drawings(STUDY, *together(search, repeats))]
    assert names == ["search", "sensitivity", "curves", "final", "paired"]
    assert bennatan.drawings(STUDY, *(rows.iloc[:0] for rows in repeats)) == []


def test_every_seed_is_one_line_and_every_optimizer_one_label():
    figure = lines.four_rates(made_up.fits("digits", PLAIN, seeds=4)[1])
    for ax in figure.axes:
        assert len(ax.get_lines()) == 8
        assert labels(ax) == {"Adam", "AMSGrad"}


def test_optimizers_differ_in_line_and_marker_and_not_only_in_colour():
    looks = [*style.STYLES.values(), *style.OTHERS]
    assert len({str(look["linestyle"]) for look in style.STYLES.values()}) == len(style.STYLES)
    assert len({look["marker"] for look in looks}) == len(looks)
    corrected, uncorrected = style.style("Adam"), style.style("Adam", corrected=False)
    assert corrected["linestyle"] != uncorrected["linestyle"]


def test_schedules_of_one_optimizer_differ_in_line_and_not_only_in_name():
    arms = [{"optimizer": "Adam", "schedule": f"inverse-sqrt-{t}", "variant": "roots"} for t in ("epoch", "update")]
    runs, curves = made_up.fits("korzeniowski-logistic", [a | {"learning_rate": r} for a in arms for r in (0.1, 1.0)])
    for figure in (korzeniowski.panels(curves, "val_loss"), grids.sensitivity(runs)):
        for ax in figure.axes:
            handles, names = ax.get_legend_handles_labels()
            assert names == ["Adam, t = epoch", "Adam, t = update"]
            assert len({handle.get_linestyle() for handle in handles}) == 2
            assert len({handle.get_color() for handle in handles}) == 2


def test_a_series_is_named_by_what_tells_it_apart():
    arms = [{"optimizer": "Adam", "variant": variant} for variant in ("mnist", "mnist+adamw")]
    runs, _ = made_up.fits("bushaev-variants", arms, seeds=1)
    assert list(style.with_series(runs)["series"]) == ["Adam", "Adam, normalised decay"]
    assert list(style.with_series(runs.iloc[1:])["series"]) == ["Adam"]
    assert list(style.with_series(runs.iloc[:0])["series"]) == []


def tuned(**settings):
    """Return runs and curves of Adam and of AMSGrad, which has other settings."""
    return made_up.fits("digits", [{"optimizer": "Adam"}, {"optimizer": "AMSGrad"} | settings], seeds=5)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param({}, ["Adam", "AMSGrad"], id="the same"),
        pytest.param({"learning_rate": 0.01}, ["Adam, α = 0.001", "AMSGrad, α = 0.01"], id="α"),
        pytest.param(
            {"beta_2": 0.99}, ["Adam, α = 0.001, β₂ = 0.999", "AMSGrad, α = 0.001, β₂ = 0.99"], id="β₂, and so both"
        ),
        pytest.param({"beta_2": None, "learning_rate": 0.1}, ["Adam, α = 0.001", "AMSGrad, α = 0.1"], id="no β₂"),
    ],
)
def test_the_legend_names_settings_where_they_differ(settings, said):
    _, curves = tuned(**settings)
    assert labels(lines.four_rates(curves).axes[0]) == set(said)


def test_further_numbers_of_a_grid_have_panels_of_their_own_and_no_heat_map():
    arms = [
        {"optimizer": name, "beta_2": beta_2, "options": f"nesterov=True; momentum={momentum}" if name == "SGD" else ""}
        for name in ("Adam", "SGD")
        for beta_2 in (0.9, 0.99)
        for momentum in (0, 0.5, 0.9)
    ]
    runs, _ = made_up.fits("mine", arms, stage="search", seeds=1, folds=(0, 1, 2))
    search = dataclasses.replace(STUDY.search, others={"momentum": (0, 0.5, 0.9)})
    (drawing,) = bennatan.of_search(dataclasses.replace(STUDY, search=search), runs)
    assert [ax.get_xlabel() for ax in drawing.figure.axes[:-1]] == ["β₂", "momentum"]
    of_sgd = drawing.rows[drawing.rows["optimizer"] == "SGD"]
    assert sorted(of_sgd["momentum"]) == [0, 0, 0.5, 0.5, 0.9, 0.9]
    assert (drawing.rows["n"] == 3).sum() == 6


def test_optimizers_of_one_class_with_settings_of_their_own_look_different():
    looks = [style.style("AdamW", None, f"weight_decay={decay}") for decay in (0.01, 0.1)]
    assert looks[0]["linestyle"] != looks[1]["linestyle"]
    assert style.style("Adam", True, "l2=0.001") == style.style("Adam")
    assert style.style("RMSprop", None) == style.STYLES["RMSProp"]


def test_a_grid_has_no_settings_in_its_legend():
    runs, _ = made_up.fits("digits", made_up.grid(), seeds=1)
    assert list(dict.fromkeys(style.with_series(runs)["legend"])) == ["Adam", "AMSGrad"]


def test_the_ends_of_runs_and_their_differences_name_the_settings_too():
    runs, _ = tuned(learning_rate=0.01)
    final, paired = bennatan.of_last_epochs(runs)
    ticks = [[label.get_text() for label in each.figure.axes[0].get_yticklabels()] for each in (final, paired)]
    assert ticks == [["Adam (n = 5)\nα = 0.001", "AMSGrad (n = 5)\nα = 0.01"], ["AMSGrad (n = 5)\nα = 0.01"]]
    assert "below Adam's (α = 0.001)." in paired.caption


def test_experiments_side_by_side_are_named_by_their_titles_and_settings():
    parts = [
        made_up.fits("mcgill-logistic", [{"optimizer": "Adam"}, {"optimizer": "AMSGrad", "learning_rate": alpha}])[1]
        for alpha in (0.001, 0.01)
    ]
    curves = pd.concat([parts[0], parts[1].assign(variant="by-accuracy")])
    (drawing,) = bennatan.together(curves, curves)
    titles = [ax.get_title() for ax in drawing.figure.axes if ax.get_title()]
    assert titles == [
        "Logistic regression on MNIST",
        "Logistic regression on MNIST\n(chosen by accuracy)\nAdam: α = 0.001\nAMSGrad: α = 0.01",
    ]
    assert labels(drawing.figure.axes[0]) == {"Adam", "AMSGrad"}
    assert "own scale: the top is" in drawing.caption


def test_labels_of_losses_leave_room_for_each_other():
    ax = Figure(figsize=(4, 2.3)).subplots()
    ax.plot([1, 2], [1e-5, 1.0])
    style.loss_axis(ax)
    ax.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    inside = [box for box in boxes if ax.bbox.y0 <= box.y0 and box.y1 <= ax.bbox.y1]
    assert len(inside) >= 3
    assert not any(a.overlaps(b) for a, b in itertools.pairwise(inside))


def test_one_bad_arm_does_not_squeeze_the_others():
    arms = [*PLAIN, {"optimizer": "SGD"}]
    runs, _ = made_up.fits("digits", arms, seeds=5)
    runs.loc[runs["optimizer"] == "SGD", ["train_loss", "val_loss"]] *= 30
    final, paired = bennatan.of_last_epochs(runs)
    assert [ax.get_xscale() for ax in final.figure.axes] == ["log", "log", "linear"]
    assert [ax.get_xscale() for ax in paired.figure.axes[:2]] == ["symlog", "symlog"]
    assert 1.0 not in paired.figure.axes[1].get_xticks()  # its label would stand upon that of 0


@pytest.mark.parametrize("factor", [1.5, 4.0, 30.0, 1000.0])
def test_labels_of_differences_leave_room_for_each_other(factor):
    runs, _ = made_up.fits("digits", PLAIN, seeds=5)
    runs.loc[runs["optimizer"] == "AMSGrad", ["train_loss", "val_loss"]] *= factor
    figure = bennatan.of_last_epochs(runs)[1].figure
    figure.draw_without_rendering()
    for ax in figure.axes:
        boxes = [label.get_window_extent() for label in ax.get_xticklabels() if label.get_text()]
        inside = [box for box in boxes if ax.bbox.x0 <= box.x1 and box.x0 <= ax.bbox.x1]
        assert len(inside) >= 2
        assert not any(a.overlaps(b) for a, b in itertools.pairwise(inside))
        assert ax.xaxis.label.get_window_extent().x1 <= figure.bbox.x1  # not cut


def test_a_panel_is_titled_by_what_tells_it_from_the_others():
    parts = [
        made_up.fits("perez-logistic", [{"optimizer": "Adam", "variant": f"l2+l2={each}"}])[1] for each in (0, "1e-05")
    ]
    figure = lines.side_by_side(pd.concat(parts), ["variant", "schedule"], ("val_loss",))
    assert [ax.get_title() for ax in figure.axes] == ["L2 penalty = 0", "L2 penalty = 1e-05"]


def test_an_interval_of_loss_ratios_is_that_of_their_logs():
    runs, _ = made_up.fits("digits", PLAIN, seeds=6)
    rows = dots.differences(runs, runs[runs["optimizer"] == "Adam"], ["train_loss"])
    pair = runs.pivot(index="seed", columns="optimizer", values="train_loss")
    logs = np.log(pair["AMSGrad"] / pair["Adam"])
    expected = 100 * np.expm1(scipy.stats.ttest_1samp(logs, 0).confidence_interval())
    drawn = dots.plot_differences(rows, Figure().subplots()).get_lines()[1].get_xdata()
    assert list(drawn) == pytest.approx(list(expected))


def test_a_run_that_diverged_ends_in_a_cross():
    _, curves = made_up.fits("digits", [{"optimizer": "Adam", "learning_rate": 1e4}], seeds=1, epochs=8)
    ax = matplotlib.figure.Figure().subplots()
    lines.plot_curves(curves, "val_loss", ax)
    assert [line.get_marker() for line in ax.get_lines()][-1] == "x"


def test_a_long_run_is_drawn_with_few_points_from_its_first_epoch_to_its_last():
    _, curves = made_up.fits("digits", PLAIN[:1], seeds=1, epochs=150)
    drawn = lines.thinned(curves)
    assert len(drawn) <= lines.KEPT
    assert drawn["epoch"].iloc[0] == 1
    assert drawn["epoch"].iloc[-1] == 150


def test_the_grid_has_a_panel_for_each_rate_and_beta_and_a_line_for_each_run():
    arms = made_up.grid(rates=(0.01, 0.001, 0.0001), bias_correction=True)
    arms += made_up.grid(rates=(0.01, 0.001, 0.0001), bias_correction=False)
    runs, curves = made_up.fits("korzeniowski-logistic", arms, seeds=2, epochs=20)
    drawn = {each.name: each for each in korzeniowski.drawings(STUDIES["korzeniowski-logistic"], runs, curves)}
    assert len(drawn) == 10
    full, zoom = drawn["val-loss"].figure, drawn["val-loss-zoom"].figure
    assert len(full.axes) == 6
    assert all(len(ax.get_lines()) == 8 for ax in full.axes)
    assert labels(full.axes[0]) == {"Adam", "AMSGrad", "Adam, uncorrected", "AMSGrad, uncorrected"}
    assert full.axes[0].get_title() == "α = 0.01, β₂ = 0.99"
    assert zoom.axes[0].get_lines()[0].get_xdata().min() == 17


def test_a_zoom_that_would_show_a_single_epoch_is_left_out():
    drawn = korzeniowski.drawings(
        STUDIES["korzeniowski-logistic"], *made_up.fits("korzeniowski-logistic", made_up.grid(), seeds=1, epochs=2)
    )
    assert [each.name for each in drawn if "zoom" in each.name] == []


def test_a_setting_that_diverged_in_one_fold_is_nan_in_the_grid():
    runs, _ = made_up.fits("digits", made_up.grid(rates=(0.001, 1.0)), stage="search", seeds=1, folds=(0, 1, 2))
    runs.loc[runs.index[0], "val_loss"] = np.nan
    grid = grids.loss_grid(runs[runs["optimizer"] == "Adam"])
    assert np.isnan(grid.loc[0.001, 0.99])
    assert np.isfinite(grid.loc[1.0]).all()
    figure = grids.heat_maps({"Adam": grid})
    assert "div." in {text.get_text() for text in figure.axes[0].texts}


def test_robustness_is_the_share_of_settings_near_the_best_of_all():
    rows, _ = made_up.fits("digits", made_up.grid(rates=(0.001, 0.01, 0.1), betas=(0.99,)), stage="search", seeds=1)
    rows["val_loss"] = [1.00, 1.04, 1.20, 1.06, 1.30, np.nan]
    near = grids.robustness(rows, tolerances=[0.05]).set_index("series")["share"]
    assert near.to_dict() == {"Adam": pytest.approx(2 / 3), "AMSGrad": 0}


def test_differences_are_taken_between_runs_of_the_same_seed():
    runs, _ = made_up.fits("digits", PLAIN, seeds=3)
    rows = dots.differences(runs.sample(frac=1, random_state=1), runs[runs["optimizer"] == "Adam"], ["val_loss"])
    by_seed = runs.pivot(index="seed", columns="optimizer", values="val_loss")
    expected = 100 * (by_seed["AMSGrad"] / by_seed["Adam"] - 1)
    pd.testing.assert_series_equal(rows.set_index("seed")["difference"].sort_index(), expected, check_names=False)


@pytest.mark.parametrize(("seeds", "drawn"), [(4, False), (5, True)])
def test_fewer_than_five_runs_are_drawn_without_an_interval(seeds, drawn):
    runs, _ = made_up.fits("digits", PLAIN[:1], seeds=seeds)
    ax = dots.plot_dots(style.with_series(runs), "val_loss", Figure().subplots())
    assert np.isfinite(ax.get_lines()[1].get_xdata()).all() == drawn


def test_our_accuracies_stand_beside_the_published_ones():
    arms = [
        {"optimizer": name, "variant": variant, "schedule": "inverse-sqrt-epoch"}
        for variant in ("", "dropout")
        for name in ("Adam", "AdaMax")
    ]
    runs, curves = made_up.fits("perez-mlp", arms, seeds=2)
    table = perez.accuracies(runs).set_index(["variant", "optimizer"])
    assert table.loc[("dropout", "Adam"), "published"] == 98.43
    assert table.loc[("", "AdaMax"), "published"] == 98.33
    assert [each.name for each in perez.together(runs, curves)] == ["published", "models", "dropout"]
    titles = [ax.get_title() for ax in perez.together(runs, curves)[0].figure.axes]
    assert titles == ["two hidden layers\nt = epoch"]
    assert [each.name for each in perez.drawings(STUDIES["perez-mlp"], runs, curves)] == ["curves", "final", "paired"]


def test_a_variant_of_ours_stands_beside_the_number_that_it_varies_and_not_among_the_models():
    arms = [{"optimizer": "AdaMax", "variant": variant, "schedule": "inverse-sqrt-epoch"} for variant in ("", "ours")]
    runs, curves = made_up.fits("perez-logistic", arms, seeds=2)
    assert perez.accuracies(runs).set_index("variant").loc["ours", "published"] == 92.38
    models = perez.together(runs, curves)[1]
    assert set(models.rows["variant"]) == {""}


def test_variants_of_adam_are_compared_with_plain_adam_only():
    arms = [
        *PLAIN,
        {"optimizer": "Adam", "variant": "adamw", "schedule": "warm-restarts"},
        {"optimizer": "SGD", "beta_2": None},
    ]
    drawn = {each.name: each for each in bushaev.drawings(STUDY, *made_up.fits("bushaev-variants", arms, seeds=2))}
    assert set(drawn["paired"].rows["series"]) == {"AMSGrad", "Adam, normalised decay, warm restarts", "SGD"}


def test_decays_become_heat_maps_of_both_ways():
    arms = [
        {"optimizer": "Adam", "learning_rate": alpha, "variant": f"decay+{way}={decay:g}"}
        for way in ("l2", "decoupled")
        for alpha in (0.001, 0.01)
        for decay in (0.0, 1e-05)
    ]
    runs, curves = made_up.fits("bushaev-variants", arms, seeds=2)
    decays = bushaev.decay_of(runs)
    assert set(decays["weight_decay"]) == {0.0, 1e-5}
    first = bushaev.drawings(STUDIES["bushaev-variants"].as_variant("decay"), runs, curves)[0]
    assert [ax.get_title() for ax in first.figure.axes[:2]] == ["L2 penalty", "decoupled decay"]


def test_paths_show_the_median_and_the_band_of_the_seeds():
    ax = matplotlib.figure.Figure().subplots()
    reddi.plot_paths(made_up.paths(variants=("C=3",), seeds=3), "x", ax)
    assert [line.get_ydata()[-1] for line in ax.get_lines()] == pytest.approx([1, -1])
    assert len(ax.collections) == 2


def test_a_table_says_where_walks_end_beside_what_theory_has():
    study = STUDIES["synthetic-mod3"]
    ends = reddi.ends(study, made_up.paths(variants=("C=3", "C=5"))).set_index(["variant", "optimizer"])
    assert ends["last x"].round().tolist() == [1, -1, 1, -1]
    assert ends["in theory"].tolist() == [pytest.approx(2 / 3), 0, 2, 0]
    assert ends["lowest Γ"].tolist() == [-0.1, 0, -0.1, 0]
    assert "largest step / α" in ends


def test_an_unknown_source_gets_the_figures_of_a_search():
    assert of_source("mine") is of_source("digits") is bennatan


def test_a_plot_function_draws_into_the_current_axes_without_any(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    import matplotlib.pyplot as plt

    plt.figure()
    assert lines.plot_curves(made_up.fits("digits", PLAIN)[1], "val_loss") is plt.gca()
    plt.close("all")


def test_inline_svg_names_series_and_scales_and_keeps_ids_apart():
    _, curves = made_up.fits("digits", [{"optimizer": 'Adam & "<b>"'}], seeds=1)
    element = svg.inline(svg.svg_text(lines.four_rates(curves)), "digits-curves", "Losses <and> more")
    assert 'data-series="Adam &amp; &quot;&lt;b&gt;&quot;, seed 0"' in element
    assert element.count('data-x="whole,') == 4
    assert element.count('data-y="log,') == 2
    assert 'aria-label="Losses &lt;and&gt; more"' in element
    assert "<b>" not in element
    assert all(part.startswith("digits-curves-") for part in element.split('id="')[1:])
    assert "xmlns" not in element


def test_a_scale_that_the_page_cannot_turn_into_values_is_left_out():
    figure = reddi.walk_paths(made_up.paths(variants=("C=3",)), {"C=3": 2 / 3})
    element = svg.inline(svg.svg_text(figure), "paths", "Paths")
    assert element.count('data-x="log,') == 3
    assert element.count('data-y=",') == 2


def test_short_paths_keep_every_point_to_a_hundredth():
    points = np.random.default_rng(0).uniform(0, 700, (200, 2))
    path = "M " + " L ".join(f"{x:.6f} {y:.6f}" for x, y in points)
    start, steps = svg._short_path(path).removeprefix("M").split("l")
    found = np.cumsum(np.array([*start.split(","), *steps.split(",")], float).reshape(-1, 2), axis=0)
    np.testing.assert_allclose(found, points, atol=0.0051)


def test_our_grid_stands_beside_the_author_s():
    arms = [
        {"optimizer": name, "learning_rate": alpha, "beta_2": 0.99, "bias_correction": True, "schedule": "linear"}
        for name in ("Adam", "AMSGrad")
        for alpha in (0.01, 0.001)
    ]
    runs, _ = made_up.fits("korzeniowski-logistic", arms, seeds=3)
    rows = korzeniowski.beside_author(STUDIES["korzeniowski-logistic"], runs)
    assert len(rows) == 4
    first = rows[(rows["optimizer"] == "Adam") & (rows["learning_rate"] == 0.01)].iloc[0]
    assert (first["train_loss_author"], first["val_loss_author"], first["n"]) == (0.2007, 0.3001, 3)
    assert korzeniowski.beside_author(STUDIES["perez-mlp"], runs).empty
