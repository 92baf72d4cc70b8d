"""What Reddi, Kale and Kumar say of Adam and AMSGrad."""

from functools import partial

from studies.claims.claim import LOSS, Claim
from studies.claims.measures import spread_over_the_grid
from studies.claims.sources.bennatan import MCGILL
from studies.claims.walks import ends_at, negative_gamma, regret_left

SOURCE = "Reddi, Kale and Kumar"
WALKS = ("synthetic-online", "synthetic-stochastic", "synthetic-mod3")

CLAIMS = (
    Claim(
        number=1,
        source=SOURCE,
        text="Adam ends at +1, the worst point: online, stochastic and with period three.",
        studies=WALKS,
        metric="x",
        direction="same",
        rope=0.1,
        measure=partial(ends_at, optimizer="Adam", target=1),
        seeded=False,
    ),
    Claim(
        number=2,
        source=SOURCE,
        text="AMSGrad ends at −1, the best point, on the same problems.",
        studies=WALKS,
        metric="x",
        direction="same",
        rope=0.1,
        measure=partial(ends_at, optimizer="AMSGrad", target=-1),
        seeded=False,
    ),
    Claim(
        number=3,
        source=SOURCE,
        text="Adam's average regret does not vanish, AMSGrad's does.",
        studies=WALKS,
        metric="average_regret",
        direction="better",
        rope=0,
        measure=regret_left,
        seeded=False,
    ),
    Claim(
        number=4,
        source=SOURCE,
        text="Γ, the change of the inverse step size, is negative at some step for Adam, never for SGD and AMSGrad.",
        studies=WALKS,
        metric="gamma_min",
        direction="better",
        rope=0,
        measure=negative_gamma,
        seeded=False,
    ),
    Claim(
        number=16,
        source=SOURCE,
        text="AMSGrad is more robust to α and β₂: its final losses over the grid lie closer together.",
        studies=MCGILL,
        metric="val_loss",
        direction="better",
        rope=LOSS,
        measure=spread_over_the_grid,
        seeded=False,
    ),
)
