"""What Bushaev's article says of Adam and its variants. His Adam is bias-corrected."""

from itertools import product

from studies.catalog import STUDIES, Command, Variant
from studies.catalog.synthetic import SyntheticStudy
from studies.claims.claim import Claim, Reading, single
from studies.claims.comparisons import Pairs, TunedPairs, pairs_of, versus
from studies.claims.evidence import Evidence
from studies.claims.shares import Better, Departures
from studies.claims.sources.korzeniowski import LOGISTIC, corrections
from studies.claims.walks import Apart, walks
from studies.claims.words import Side

NAME = "bushaev-variants"
PROBLEMS = ("", "mnist")
STEEP = 1010.0
SCALED = STUDIES["synthetic-online"].as_variant("scaled")
ELSEWHERE = ("digits", "mcgill-logistic", "mcgill-feedforward")


def arm(variant: str, schedule: str = "") -> Side:
    """Return runs of Adam that differ in their decay and schedule."""
    return {"study": NAME, "optimizer": "Adam", "variant": variant, "schedule": schedule}


def apart(larger: bool) -> tuple[Apart, ...]:
    """Return Adam's walks on scaled problems beside the one on the problem itself."""
    assert isinstance(SCALED, SyntheticStudy)
    walk = {"study": "synthetic-online", "optimizer": "Adam"}
    (plain,) = (problem for problem in SCALED.problems if problem.steep == STEEP)
    return tuple(
        Apart(
            label=f"gradients times {problem.steep / STEEP:g}",
            direction="same",
            rope=1e-4,
            a=walk | {"variant": f"scaled+{problem.name}"},
            b=walk | {"variant": f"scaled+{plain.name}"},
        )
        for problem in SCALED.problems
        if (problem.steep > STEEP if larger else problem.steep < STEEP)
    )


def separates(metric: str, quantity: str) -> tuple[Evidence, ...]:
    """Return decoupled decay against L2: what rate and decay, chosen apart, miss."""
    return (pairs_of((arm("decay+decoupled"), arm("decay+l2")), metric, "lower", quantity=quantity),)


def tuned(a: Side, b: Side, metric: str, direction: str) -> tuple[Evidence, ...]:
    """Return two ways to train on the digits, each with the decay and the rate that the search chose."""
    return (TunedPairs(label="digits", metric=metric, direction=direction, a=a, b=b),)


def elsewhere(metric: str, direction: str) -> tuple[Pairs, ...]:
    """Return AMSGrad against Adam, each with the settings that its search chose, on every problem."""
    own = tuple(
        pairs_of(
            (
                {"study": NAME, "variant": variant, "optimizer": "AMSGrad"},
                {"study": NAME, "variant": variant, "optimizer": "Adam", "schedule": ""},
            ),
            metric,
            direction,
            label=f"{NAME} {variant}".strip(),
        )
        for variant in PROBLEMS
    )
    return tuple(versus(study, "AMSGrad", "Adam", metric, direction, variant="") for study in ELSEWHERE) + own


def likelier(metric: str) -> tuple[Better, ...]:
    """Return, on the same problems, whether a run of AMSGrad is likelier to be the better one than one of Adam."""
    compared = elsewhere(metric, "not higher")
    return tuple(Better(label=p.label, metric=metric, direction="not higher", rope=0, a=p.a, b=p.b) for p in compared)


def departures(variant: str) -> Departures:
    """Return in how many runs SWATS leaves the path of Adam, whose steps it takes until it switches."""
    swats, adam = ({"study": NAME, "variant": variant, "schedule": "", "optimizer": name} for name in ("SWATS", "Adam"))
    return Departures(label=f"{NAME} {variant}".strip(), metric="train_loss", a=swats, b=adam)


def lengths(quantity: str, direction: str) -> tuple[Evidence, ...]:
    """Return the best decay of 20 and 40 epochs against that of 10."""
    return tuple(
        pairs_of(
            (arm(f"decay-{epochs}-epochs+decoupled"), arm("decay-10-epochs+decoupled")),
            "val_loss",
            direction,
            rope=20,
            quantity=quantity,
            label=f"{epochs} epochs against 10",
        )
        for epochs in (20, 40)
    )


CLAIMS = (
    Claim(
        number=21,
        source="bushaev",
        quote="Actual step size taken by the Adam in each iteration is approximately bounded [by] the step size "
        "hyper-parameter",
        text="A step of corrected Adam is at most 1.1 α on the one-dimensional problems.",
        note="Kingma and Ba bound it by α, or by α (1 − β₁)/√(1 − β₂) where 1 − β₁ > √(1 − β₂).",
        readings=single(
            *walks(
                "largest step",
                "Adam",
                1,
                "not higher",
                0.1,
                tuple((f"synthetic-{name}", "corrected") for name in ("online", "stochastic", "mod3")),
            )
        ),
    ),
    Claim(
        number=22,
        source="bushaev",
        quote="invariant to the magnitude of the gradient, which helps a lot when going through areas with tiny "
        "gradients",
        text="Adam walks the same path, within 1e-4, when all gradients are scaled.",
        readings=(Reading("larger gradients", apart(True)), Reading("smaller gradients", apart(False))),
        commands=(Command("synthetic-online", Variant.parse("scaled")),),
    ),
    Claim(
        number=23,
        source="bushaev",
        quote="it actually helps in decoupling learning rate and regularization hyperparameters; as long as we stay in "
        "some range of optimal values",
        exceptions="settings outside the range of optimal values: here rates and decays that cannot come within a "
        "point of the best accuracy",
        text="With decoupled decay, w ← w − η(m̂/(√v̂ + ε) + λw), rate and decay can be chosen apart with less harm than "
        "with L2.",
        note="Losses under an L2 penalty include it.",
        readings=tuple(
            Reading(f"{name}, {among}", separates(metric, quantity))
            for (name, metric), (among, quantity) in product(
                {
                    "accuracy": "val_accuracy",
                    "accuracy at the best epoch": "best_val_accuracy",
                    "loss": "val_loss",
                    "loss at the best epoch": "best_val_loss",
                }.items(),
                {"near the best": "interaction near the best", "all settings": "interaction"}.items(),
            )
        ),
        commands=(Command(NAME, Variant.parse("decay")),),
    ),
    Claim(
        number=24,
        source="bushaev",
        quote="One paper that actually turned out to help Adam is 'Fixing Weight Decay Regularization in Adam'",
        text="Adam with decoupled decay is more accurate than Adam with L2 and than Adam without decay, each at its "
        "best settings, without restarts.",
        readings=(
            Reading(
                "against no decay",
                tuned(arm("restarts+decoupled"), arm("restarts+l2=0"), "val_accuracy", "higher"),
            ),
            Reading(
                "against L2",
                tuned(arm("restarts+decoupled"), arm("restarts+l2"), "val_accuracy", "higher"),
            ),
            Reading(
                "against no decay, test loss",
                tuned(arm("restarts+decoupled"), arm("restarts+l2=0"), "val_loss", "lower"),
            ),
        ),
        commands=(Command(NAME, Variant.parse("restarts")),),
    ),
    Claim(
        number=37,
        source="bushaev",
        quote="Warm restarts ... With new weight decay, Adam got much better results with restarts",
        text="Adam with decoupled decay is more accurate, and its test loss lower, with restarts than without.",
        readings=tuple(
            Reading(
                name,
                tuned(arm("restarts+decoupled", "warm-restarts"), arm("restarts+decoupled"), metric, direction),
            )
            for name, metric, direction in (("accuracy", "val_accuracy", "higher"), ("loss", "val_loss", "lower"))
        ),
        commands=(Command(NAME, Variant.parse("restarts")),),
    ),
    Claim(
        number=38,
        source="bushaev",
        quote="optimal value to use for weight decay actually depends on number of iterations",
        text="The best decay of 20 and of 40 epochs is lower than that of 10; the best normalised decay is not.",
        note="The normalised decay is the decay times the root of the number of updates.",
        readings=(
            Reading("the decay falls", lengths("best decay", "lower")),
            Reading("the normalised decay stays", lengths("best normalised decay", "same")),
        ),
        commands=tuple(Command(NAME, Variant.parse(f"decay-{epochs}-epochs")) for epochs in (10, 20, 40)),
    ),
    Claim(
        number=39,
        source="bushaev",
        quote="Sadly, I haven't seen one case where [AMSGrad] would help get better results than Adam",
        text="AMSGrad is on no problem ahead of Adam, each at its best settings.",
        readings=(
            *(
                Reading(name, elsewhere(metric, direction))
                for name, metric, direction in (
                    ("test accuracy", "val_accuracy", "not higher"),
                    ("test loss", "val_loss", "not lower"),
                    ("test loss at the best epoch", "best_val_loss", "not lower"),
                )
            ),
            *(
                Reading(f"P(better), {name}", likelier(metric), beside=True)
                for name, metric in (("test accuracy", "val_accuracy"), ("test loss", "val_loss"))
            ),
        ),
    ),
    Claim(
        number=40,
        source="bushaev",
        quote="it won't have much effect unless it's the [beginning] of the training",
        place="of bias correction",
        text="The final training loss with bias correction is within 2 % of that without, at every setting.",
        note="AMSGrad's maximum keeps what the start left in it.",
        readings=tuple(
            Reading(name, tuple(pairs_of(each, "train_loss", "same") for each in corrections(LOGISTIC, name)))
            for name in ("Adam", "AMSGrad")
        ),
        commands=(Command(LOGISTIC),),
    ),
    Claim(
        number=41,
        source="bushaev",
        quote="adaptive methods ... do not generalize as well as SGD with momentum",
        text="SGD with momentum is more accurate on test rows than most adaptive methods, each at its best settings.",
        readings=tuple(
            Reading(
                variant or "digits",
                tuple(
                    versus(NAME, "SGD", name, "val_accuracy", "higher", variant=variant, schedule="")
                    for name in ("Adam", "AdaMax", "Nadam", "AMSGrad", "NDAdam")
                ),
                "most",
            )
            for variant in PROBLEMS
        ),
    ),
    Claim(
        number=42,
        source="bushaev",
        quote="comparable to SGD with momentum",
        place="of SWATS",
        text="The test accuracy of SWATS is within .1 points of that of SGD with momentum.",
        note="SWATS takes Adam's steps until it switches to SGD: a run that stays on Adam's path has not become SGD.",
        readings=(
            *(
                Reading(
                    variant or "digits",
                    (versus(NAME, "SWATS", "SGD", "val_accuracy", "same", variant=variant, schedule=""),),
                )
                for variant in PROBLEMS
            ),
            *(
                Reading(f"leaves Adam's path, {variant or 'digits'}", (departures(variant),), beside=True)
                for variant in PROBLEMS
            ),
        ),
    ),
)
