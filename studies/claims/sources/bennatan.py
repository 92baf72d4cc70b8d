"""What Bennatan, Collin and Ng conclude from their networks."""

from functools import partial

from studies.claims.claim import LOSS, Claim
from studies.claims.comparisons import against, compare
from studies.claims.measures import chosen_settings, spread_and_gap

SOURCE = "Bennatan, Collin and Ng"
MCGILL = ("mcgill-logistic", "mcgill-feedforward", "mcgill-cifarnet")

CLAIMS = (
    Claim(
        number=5,
        source=SOURCE,
        text="Logistic regression: there is no discernible difference in the final training loss.",
        studies=MCGILL[:1],
        metric="train_loss",
        direction="same",
        rope=LOSS,
        measure=partial(compare, sides=[against(MCGILL[0], "AMSGrad", "Adam")]),
    ),
    Claim(
        number=6,
        source=SOURCE,
        text="Feed-forward network: AMSGrad's final training loss is slightly lower.",
        studies=MCGILL[1:2],
        metric="train_loss",
        direction="better",
        rope=LOSS,
        measure=partial(compare, sides=[against(MCGILL[1], "AMSGrad", "Adam")]),
    ),
    Claim(
        number=7,
        source=SOURCE,
        text="CifarNet: AMSGrad's final training loss is slightly lower.",
        studies=MCGILL[2:],
        metric="train_loss",
        direction="better",
        rope=LOSS,
        measure=partial(compare, sides=[against(MCGILL[2], "AMSGrad", "Adam")]),
    ),
    Claim(
        number=8,
        source=SOURCE,
        text="Runs of one optimizer spread as far as the two optimizers lie apart (final training loss).",
        studies=MCGILL,
        metric="train_loss",
        direction="no worse",
        rope=LOSS,
        measure=spread_and_gap,
    ),
    Claim(
        number=9,
        source=SOURCE,
        text="The search chooses the settings of Table I.",
        studies=MCGILL,
        metric="val_loss",
        direction="same",
        rope=LOSS,
        measure=chosen_settings,
        seeded=False,
    ),
)
