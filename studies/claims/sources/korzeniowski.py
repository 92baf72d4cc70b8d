"""What Korzeniowski concludes from his grids."""

from itertools import product

from studies.catalog import Command, Variant
from studies.catalog.network import INVERSE_SQRT
from studies.claims.authors import AuthorCorrelation, AuthorFailures, AuthorPairs, AuthorSpread
from studies.claims.claim import Claim, Reading
from studies.claims.comparisons import pairs_of
from studies.claims.evidence import Evidence
from studies.claims.grids import Correlation, Failures, SpreadOfRuns
from studies.claims.words import Side, shared

RATES, BETAS = (0.01, 0.001, 0.0001), (0.99, 0.999)
LOGISTIC, CIFARNET, SMALLVGG, VGG = (f"korzeniowski-{name}" for name in ("logistic", "cifarnet", "smallvgg", "vgg"))
AUTHOR = "the author's runs"


def settings(study: str, rates: tuple[float, ...] = RATES) -> list[Side]:
    """Return every setting of a grid, without the optimizer."""
    return [
        {"study": study, "schedule": "linear", "learning_rate": alpha, "beta_2": beta_2, "bias_correction": correction}
        for alpha, beta_2, correction in product(rates, BETAS, (True, False))
    ]


def optimizers(side: Side) -> tuple[Side, Side]:
    """Return AMSGrad and Adam at a setting."""
    return side | {"optimizer": "AMSGrad"}, side | {"optimizer": "Adam"}


def ours(
    study: str, metric: str, direction: str, rates: tuple[float, ...] = RATES, quantity: str = ""
) -> tuple[Evidence, ...]:
    """Return AMSGrad against Adam at every setting of a grid."""
    return tuple(
        pairs_of(optimizers(each), metric=metric, direction=direction, quantity=quantity)
        for each in settings(study, rates)
    )


def theirs(study: str, metric: str, direction: str, rates: tuple[float, ...] = RATES) -> tuple[Evidence, ...]:
    """Return AMSGrad against Adam at every setting of the author's grid."""
    return tuple(_author(*optimizers(each), metric, direction) for each in settings(study, rates))


def _author(a: Side, b: Side, metric: str, direction: str) -> AuthorPairs:
    return AuthorPairs(label=shared(a, b), metric=metric, direction=direction, a=a, b=b)


def corrections(study: str, optimizer: str) -> list[tuple[Side, Side]]:
    """Return each setting of an optimizer with and without bias correction."""
    own = [each | {"optimizer": optimizer} for each in settings(study) if each["bias_correction"]]
    return [(each, each | {"bias_correction": False}) for each in own]


def both(study: str, metric: str, direction: str, agreement: str = "all") -> tuple[Reading, ...]:
    """Return AMSGrad against Adam at every setting, in runs made here and in the author's."""
    return (
        Reading("final", ours(study, metric, direction), agreement),
        Reading(AUTHOR, theirs(study, metric, direction), agreement, beside=True),
    )


def decays(metric: str) -> tuple[Evidence, ...]:
    """Return linear decay against alpha / sqrt(t): three rates, two meanings of t."""
    adam = {"study": LOGISTIC, "optimizer": "Adam", "beta_2": 0.999, "bias_correction": True}
    return tuple(
        pairs_of(
            (
                adam | {"learning_rate": alpha, "schedule": "linear"},
                adam | {"learning_rate": alpha, "schedule": root, "variant": "inverse-sqrt"},
            ),
            metric=metric,
            direction="lower",
        )
        for root, alpha in product(INVERSE_SQRT, RATES)
    )


def correlations(study: str, kind: type[Correlation]) -> tuple[Correlation, ...]:
    """Return how the final training loss goes with validation loss and accuracy over the grid."""
    return tuple(
        kind(
            label=f"{study}, {words}",
            metric="train_loss",
            other=other,
            direction="lower",
            rope=0,
            a={"study": study, "schedule": "linear"},
        )
        for other, words in (("val_loss", "loss"), ("val_accuracy", "accuracy"))
    )


def spreads(study: str, kind: type[SpreadOfRuns] | type[AuthorSpread]) -> tuple[Evidence, ...]:
    """Return the spread of AMSGrad's runs over that of Adam's at every setting."""
    found = []
    for each in settings(study):
        a, b = optimizers(each)
        found.append(kind(label=shared(a, b), metric="val_loss", direction="lower", a=a, b=b))
    return tuple(found)


def failures(kind: type[Failures] | type[AuthorFailures], direction: str) -> tuple[Evidence, ...]:
    """Return whether the runs at the highest rate fail, for both optimizers at every setting."""
    return tuple(
        kind(
            label=shared(side, side),
            metric="val_accuracy",
            direction=direction,
            rope=0,
            a=side,
        )
        for each in settings(CIFARNET, (0.01,))
        for side in optimizers(each)
    )


CLAIMS = (
    Claim(
        number=10,
        source="korzeniowski",
        text="Logistic regression: linear decay reaches a lower final loss than α/√t.",
        readings=(
            Reading("training loss", decays("train_loss"), "most"),
            Reading("validation loss", decays("val_loss"), "most"),
        ),
        commands=(Command(LOGISTIC), Command(LOGISTIC, Variant.parse("inverse-sqrt"))),
    ),
    Claim(
        number=11,
        source="korzeniowski",
        text="Logistic regression: Adam's training loss is lower than AMSGrad's in every setting.",
        readings=(
            Reading("final", ours(LOGISTIC, "train_loss", "higher")),
            Reading("best epoch", ours(LOGISTIC, "train_loss", "higher", quantity="lowest")),
            Reading(AUTHOR, theirs(LOGISTIC, "train_loss", "higher"), beside=True),
        ),
    ),
    Claim(
        number=12,
        source="korzeniowski",
        quote="AMSGrad usually gives the lowest validation loss (unless we use a too low learning rate)",
        exceptions="a learning rate that is too low: here .0001",
        text="Logistic regression: AMSGrad's validation loss is lower than Adam's in most settings with α ≥ .001.",
        readings=(
            Reading("final", ours(LOGISTIC, "val_loss", "lower", RATES[:2]), "most"),
            Reading("best epoch", ours(LOGISTIC, "best_val_loss", "lower", RATES[:2]), "most"),
            Reading(AUTHOR, theirs(LOGISTIC, "val_loss", "lower", RATES[:2]), "most", beside=True),
        ),
    ),
    Claim(
        number=13,
        source="korzeniowski",
        quote="We see that high learn rates fail to converge for both algorithms",
        place="CifarNet",
        text="CifarNet: with α = .01 both optimizers fail, at every setting.",
        readings=(
            Reading("runs made here", failures(Failures, "higher")),
            Reading(AUTHOR, failures(AuthorFailures, "lower"), beside=True),
        ),
    ),
    Claim(
        number=14,
        source="korzeniowski",
        quote="AMSGrad consistently outperforming ADAM",
        place="Vgg, validation loss",
        text="Vgg: AMSGrad's final validation loss is lower in every setting.",
        readings=both(VGG, "val_loss", "lower"),
    ),
    Claim(
        number=15,
        source="korzeniowski",
        quote="for validation accuracy, the results are quite inconclusive",
        place="Vgg",
        text="Vgg: in validation accuracy neither optimizer is ahead throughout.",
        readings=both(VGG, "val_accuracy", "higher", "mixed"),
    ),
    Claim(
        number=30,
        source="korzeniowski",
        quote="most of the time, using bias correction helps convergence",
        text="With bias correction the final training loss is lower in most settings, for Adam and for AMSGrad.",
        readings=tuple(
            reading
            for optimizer in ("Adam", "AMSGrad")
            for reading in (
                Reading(
                    optimizer,
                    tuple(pairs_of(each, "train_loss", "lower") for each in corrections(LOGISTIC, optimizer)),
                    "most",
                ),
                Reading(
                    f"{optimizer}, {AUTHOR}",
                    tuple(
                        _author(*each, "train_loss", "lower")
                        for study in (LOGISTIC, CIFARNET, SMALLVGG, VGG)
                        for each in corrections(study, optimizer)
                    ),
                    "most",
                    beside=True,
                ),
            )
        ),
    ),
    Claim(
        number=31,
        source="korzeniowski",
        quote="AMSGrad seems to converge faster in the last training phase if the learning rate is not too low",
        exceptions="a learning rate that is too low: here .0001",
        text="Over epochs 120 to 150 the training loss falls by a larger factor with AMSGrad, in most settings with "
        "α ≥ .001.",
        readings=(Reading("", ours(LOGISTIC, "train_loss", "higher", RATES[:2], quantity="fall at the end"), "most"),),
    ),
    Claim(
        number=32,
        source="korzeniowski",
        quote="Both algorithms achieve a similar minimum validation loss",
        text="The lowest validation losses of AMSGrad and Adam differ by less than 1 % in every setting.",
        readings=both(LOGISTIC, "best_val_loss", "same"),
    ),
    Claim(
        number=33,
        source="korzeniowski",
        quote="the validation loss diverges badly for the configurations that achieved the best training loss ... "
        "validation accuracy is actually best for these models",
        place="CifarNet",
        text="Over the grid, the lower the training loss, the higher are validation loss and accuracy.",
        readings=(
            Reading(f"CifarNet, {AUTHOR}", correlations(CIFARNET, AuthorCorrelation)),
            Reading("logistic regression", correlations(LOGISTIC, Correlation), beside=True),
        ),
    ),
    Claim(
        number=34,
        source="korzeniowski",
        quote="runs using AMSGrad seem to have less variance",
        text="The final validation loss of AMSGrad's runs has a smaller standard deviation, in most settings.",
        readings=(
            Reading("logistic regression", spreads(LOGISTIC, SpreadOfRuns), "most"),
            *(
                Reading(f"{name}, {AUTHOR}", spreads(study, AuthorSpread), "most", beside=True)
                for name, study in (("CifarNet", CIFARNET), ("SmallVgg", SMALLVGG), ("Vgg", VGG))
            ),
        ),
    ),
    Claim(
        number=35,
        source="korzeniowski",
        quote="the results do not confirm the claim that AMSGrad is more robust to changes in hyper-parameters",
        text="AMSGrad's losses do not vary less over the grid than Adam's.",
        readings=tuple(
            Reading(
                name,
                (
                    pairs_of(
                        optimizers({"study": LOGISTIC, "schedule": "linear"}),
                        metric=metric,
                        direction="not lower",
                        quantity="sd over the grid",
                    ),
                ),
            )
            for name, metric in (("final training loss", "train_loss"), ("final validation loss", "val_loss"))
        ),
    ),
)
