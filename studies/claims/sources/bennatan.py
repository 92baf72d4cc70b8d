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
        if_contradicted="The gap is many times what seeds change, and still narrower than a line in a figure that "
        "begins with the first epoch, as the source's does: by eye there is none.",
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
        if_contradicted="Adam goes on to fit the training images almost without error; AMSGrad, whose denominator "
        "never shrinks, follows more slowly. Inputs that are not scaled (as coded) do not turn the order round "
        "either. In the test loss AMSGrad is ahead, since it overfits later.",
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
        if_contradicted="In the last epochs seeds change little; the source judges by eye, from five runs over all "
        "epochs, the first included.",
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
        if_contradicted="The source does not say at which epoch it took the validation loss. After the search's last "
        "one Adam overfits, and less so with a larger β₂, which is what our search then prefers.",
    ),
)
