"""What Reddi, Kale and Kumar say of Adam and AMSGrad, and a course note of their theorems."""

from studies.catalog import Command, Variant
from studies.claims.claim import Claim, Reading, single
from studies.claims.comparisons import pairs_of
from studies.claims.walks import walks

PROBLEMS = (("synthetic-online", ""), ("synthetic-stochastic", ""), ("synthetic-mod3", ""))
AROUND_2 = ("synthetic-mod3", "around-2")
GRID = {"study": "korzeniowski-logistic", "schedule": "linear"}
LARGE = ("synthetic-mod3", "large-beta-1")

CLAIMS = (
    Claim(
        number=1,
        source="reddi",
        text="Adam ends at +1, the worst point: online, stochastic and with period three.",
        readings=single(*walks("end", "Adam", 1, "same", 0.1, PROBLEMS)),
    ),
    Claim(
        number=2,
        source="reddi",
        text="AMSGrad ends at −1, the best point, on the same problems.",
        readings=single(*walks("end", "AMSGrad", -1, "same", 0.1, PROBLEMS)),
    ),
    Claim(
        number=3,
        source="reddi",
        text="Adam's average regret does not vanish, AMSGrad's does (here: more, or less, than half of it is left "
        "after ten times the steps).",
        readings=single(
            *walks("regret left", "Adam", 0.5, "higher", 0, PROBLEMS),
            *walks("regret left", "AMSGrad", 0.5, "lower", 0, PROBLEMS),
        ),
    ),
    Claim(
        number=4,
        source="reddi",
        text="Γ, the change of the inverse step size, is negative at some step for Adam, never for SGD and AMSGrad.",
        note="β₁ is .9 online and in the stochastic problem, 0 with period three.",
        readings=single(
            *walks("lowest gamma", "Adam", 0, "lower", 0, PROBLEMS),
            *walks("lowest gamma", "SGD", 0, "not lower", 0.5, PROBLEMS),
            *walks("lowest gamma", "AMSGrad", 0, "not lower", 0.5, PROBLEMS),
        ),
    ),
    Claim(
        number=16,
        source="reddi",
        quote="relatively more robust to parameter changes",
        text="AMSGrad's losses vary less over a grid of α, β₂ and bias correction than Adam's.",
        readings=tuple(
            Reading(
                name,
                (
                    pairs_of(
                        (GRID | {"optimizer": "AMSGrad"}, GRID | {"optimizer": "Adam"}),
                        metric,
                        "lower",
                        quantity="sd over the grid",
                    ),
                ),
            )
            for name, metric in (
                ("final training loss", "train_loss"),
                ("final validation loss", "val_loss"),
                ("validation loss at the best epoch", "best_val_loss"),
            )
        ),
    ),
    Claim(
        number=25,
        source="reddi",
        place="Theorems 1 and 2, as a course note tells them",
        text="With C > 2 and β₁ < √β₂ Adam goes to +1, the worst point; for C < 2 the point +1 is the best one.",
        note="The course note prints β₂ < √β₂ and means β₁ < √β₂. Of β₁ > √β₂ the theorem says nothing.",
        readings=(
            Reading(
                "β₁ < √β₂",
                (
                    *walks("end", "Adam", 1, "same", 0.1, (PROBLEMS[2],)),
                    *(each for each in walks("end", "Adam", 1, "same", 0.1, (AROUND_2,)) if "C=2," not in each.label),
                ),
            ),
            Reading("β₁ > √β₂", walks("end", "Adam", 1, "same", 0.1, (LARGE,)), beside=True),
        ),
        commands=tuple(Command("synthetic-mod3", Variant.parse(name)) for name in ("", "around-2", "large-beta-1")),
    ),
)
