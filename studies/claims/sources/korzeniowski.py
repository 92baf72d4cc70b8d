"""What Korzeniowski concludes from his grids."""

from functools import partial

from studies.catalog.network import INVERSE_SQRT
from studies.claims.claim import ACCURACY, LOSS, Claim
from studies.claims.comparisons import SETTING, against, compare
from studies.claims.measures import failures

SOURCE = "Korzeniowski"

CLAIMS = (
    Claim(
        number=10,
        source=SOURCE,
        text="Logistic regression: linear decay reaches a lower training loss than α/√t.",
        studies=("korzeniowski-logistic",),
        metric="train_loss",
        direction="better",
        rope=LOSS,
        measure=partial(
            compare,
            sides=[
                (
                    {"study": "korzeniowski-logistic", "schedule": "linear"},
                    {"study": "korzeniowski-logistic", "schedule": root, "variant": "inverse-sqrt"},
                )
                for root in INVERSE_SQRT
            ],
            within=("optimizer", *SETTING),
        ),
        agreement="most",
        commands=(
            "python -m studies run korzeniowski-logistic",
            "python -m studies run korzeniowski-logistic --variant inverse-sqrt",
        ),
    ),
    Claim(
        number=11,
        source=SOURCE,
        text="Logistic regression: Adam's final training loss is the lowest in every setting.",
        studies=("korzeniowski-logistic",),
        metric="train_loss",
        direction="better",
        rope=LOSS,
        measure=partial(
            compare, sides=[against("korzeniowski-logistic", "Adam", "AMSGrad", schedule="linear")], within=SETTING
        ),
    ),
    Claim(
        number=12,
        source=SOURCE,
        text="Logistic regression: AMSGrad's final validation loss is usually the lowest.",
        studies=("korzeniowski-logistic",),
        metric="val_loss",
        direction="better",
        rope=LOSS,
        measure=partial(
            compare, sides=[against("korzeniowski-logistic", "AMSGrad", "Adam", schedule="linear")], within=SETTING
        ),
        agreement="most",
    ),
    Claim(
        number=13,
        source=SOURCE,
        text="CifarNet: a learning rate of .01 fails with both optimizers.",
        studies=("korzeniowski-cifarnet",),
        metric="val_accuracy",
        direction="better",
        rope=0,
        measure=partial(failures, learning_rate=0.01),
        seeded=False,
    ),
    Claim(
        number=14,
        source=SOURCE,
        text="Vgg: AMSGrad's final validation loss is lower in every setting.",
        studies=("korzeniowski-vgg",),
        metric="val_loss",
        direction="better",
        rope=LOSS,
        measure=partial(
            compare, sides=[against("korzeniowski-vgg", "AMSGrad", "Adam", schedule="linear")], within=SETTING
        ),
    ),
    Claim(
        number=15,
        source=SOURCE,
        text="Vgg: accuracy favours neither optimizer throughout.",
        studies=("korzeniowski-vgg",),
        metric="val_accuracy",
        direction="better",
        rope=ACCURACY,
        measure=partial(
            compare, sides=[against("korzeniowski-vgg", "AMSGrad", "Adam", schedule="linear")], within=SETTING
        ),
        agreement="mixed",
    ),
)
