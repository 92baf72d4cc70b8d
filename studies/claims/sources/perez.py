"""What Pérez reports of Adam and AdaMax."""

from collections.abc import Callable
from itertools import product

from studies.catalog.perez import PUBLISHED
from studies.claims.claim import Claim, Reading
from studies.claims.comparisons import Reached, pairs_of
from studies.claims.evidence import Evidence
from studies.claims.words import Side

LOGISTIC, MLP, CNN = STUDIES = ("perez-logistic", "perez-mlp", "perez-cnn")
CELLS = tuple(dict.fromkeys(cell[:2] for cell in PUBLISHED))
OPTIMIZERS = ("Adam", "AdaMax")
SCHEDULES = {"t = epoch": "inverse-sqrt-epoch", "t = update": "inverse-sqrt-update"}
LAMBDAS = ("l2+l2=1e-05", "l2+l2=0.0001")


def run(study: str, optimizer: str, schedule: str, variant: str = "") -> Side:
    """Return the runs of one cell."""
    return {"study": study, "variant": variant, "optimizer": optimizer, "schedule": schedule}


def reached(schedule: str, alpha: float) -> tuple[Evidence, ...]:
    """Return how near the runs come to each cell of the table; only logistic regression has runs at a second rate."""
    return tuple(
        Reached(
            label=", ".join(filter(None, (study, variant, optimizer))),
            metric="val_accuracy",
            rope=0.3,
            published=accuracy,
            a=run(study, optimizer, schedule, variant if alpha == 0.001 else "alpha-of-the-paper"),
        )
        for (study, variant, optimizer), accuracy in PUBLISHED.items()
        if alpha == 0.001 or study == LOGISTIC
    )


def more_accurate(schedule: str) -> tuple[Evidence, ...]:
    """Return Adam against AdaMax in every cell."""
    return tuple(
        pairs_of(
            (run(study, "Adam", schedule, variant), run(study, "AdaMax", schedule, variant)), "val_accuracy", "higher"
        )
        for study, variant in CELLS
    )


def models(schedule: str) -> tuple[Evidence, ...]:
    """Return the models against each other, in the source's order."""
    orders = [(MLP, LOGISTIC, name) for name in OPTIMIZERS] + [(CNN, MLP, "Adam"), (MLP, CNN, "AdaMax")]
    return tuple(
        pairs_of(
            (run(better, name, schedule), run(worse, name, schedule)),
            "val_accuracy",
            "higher",
            label=f"{better}, {name}",
        )
        for better, worse, name in orders
    )


def steadier(schedule: str) -> tuple[Evidence, ...]:
    """Return dropout against none: the spread of the test loss within a run, and the gap between test and training."""
    return tuple(
        pairs_of(
            (run(study, name, schedule, "dropout"), run(study, name, schedule)),
            "val_loss",
            "lower",
            quantity=quantity,
            label=f"{study}, {name}, {quantity}",
        )
        for study, name, quantity in product((MLP, CNN), OPTIMIZERS, ("spread at the end", "gap of losses"))
    )


def penalties(schedule: str) -> tuple[Evidence, ...]:
    """Return an L2 penalty against none, by the test accuracy."""
    return tuple(
        pairs_of(
            (run(LOGISTIC, name, schedule, variant), run(LOGISTIC, name, schedule, "l2+l2=0")),
            "val_accuracy",
            "same",
            label=f"{name}, {variant.removeprefix('l2+')}",
        )
        for name, variant in product(OPTIMIZERS, LAMBDAS)
    )


def by_schedule(evidence: Callable[[str], tuple[Evidence, ...]], agreement: str = "all") -> tuple[Reading, ...]:
    """Return a reading for each meaning of t."""
    return tuple(Reading(name, evidence(schedule), agreement) for name, schedule in SCHEDULES.items())


CLAIMS = (
    Claim(
        number=17,
        source="perez",
        place="the table of test accuracies",
        text="Each test accuracy of the source's table is reached, within .3 points.",
        note="The source states neither α nor what t in α/√t counts.",
        readings=tuple(
            Reading(f"α = {alpha:g}, {name}", reached(schedule, alpha))
            for alpha, (name, schedule) in product((0.001, 0.002), SCHEDULES.items())
        ),
    ),
    Claim(
        number=18,
        source="perez",
        quote="Adam generally performs better than AdaMax",
        text="Adam's test accuracy is higher than AdaMax's in more than half of the cells of the table.",
        note="The source's own table has an exception: the network without dropout.",
        readings=by_schedule(more_accurate, "most"),
    ),
    Claim(
        number=19,
        source="perez",
        quote="neural networks evidently capture the nonlinearities ... much better than logistic regression; the CNN "
        "performed better than the NN when optimized using Adam, but the converse ... using AdaMax",
        text="The network is more accurate than logistic regression; the CNN than the network with Adam, and the "
        "network than the CNN with AdaMax.",
        note="The source's own table contradicts the last part: with AdaMax the CNN reaches 99.09 %, the network "
        "98.33 %.",
        readings=by_schedule(models),
    ),
    Claim(
        number=20,
        source="perez",
        quote="dropout seems to generally stabilize training and provide regularization",
        text="With dropout the test loss varies less over the last five epochs, and it lies less far above the "
        "training loss.",
        readings=by_schedule(steadier),
    ),
    Claim(
        number=36,
        source="perez",
        quote="did not make a noticeable difference",
        place="of the L2 penalty λ",
        text="Logistic regression: λ of 1e-5 and 1e-4 change the test accuracy by less than .1 points.",
        readings=by_schedule(penalties),
    ),
)
