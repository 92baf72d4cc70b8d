"""What Pérez reports of Adam and AdaMax."""

from functools import partial
from itertools import pairwise

from studies.catalog.network import INVERSE_SQRT
from studies.catalog.perez import PUBLISHED
from studies.claims.claim import ACCURACY, Claim
from studies.claims.comparisons import against, compare
from studies.claims.measures import published_accuracies

SOURCE = "Pérez"
STUDIES = ("perez-logistic", "perez-mlp", "perez-cnn")

CLAIMS = (
    Claim(
        number=17,
        source=SOURCE,
        text="Each test accuracy of the source's table is reached, within 0.3 points.",
        studies=STUDIES,
        metric="val_accuracy",
        direction="same",
        rope=0.003,
        measure=partial(published_accuracies, published=PUBLISHED),
        if_contradicted="The source names no α. Where AdaMax stays behind, ours is a reason: with the α = .002 of "
        "Kingma and Ba's own default it comes nearer (perez-logistic, variant alpha-of-the-paper).",
        readings=INVERSE_SQRT,
    ),
    Claim(
        number=18,
        source=SOURCE,
        text="Adam is at least as accurate as AdaMax, for every model with and without dropout.",
        studies=STUDIES,
        metric="val_accuracy",
        direction="no worse",
        rope=ACCURACY,
        measure=partial(
            compare,
            sides=[
                against(study, "Adam", "AdaMax", variant=variant)
                for study, variant in dict.fromkeys(cell[:2] for cell in PUBLISHED)
            ],
        ),
        readings=INVERSE_SQRT,
    ),
    Claim(
        number=19,
        source=SOURCE,
        text="The CNN is more accurate than the network, and the network than logistic regression.",
        studies=STUDIES,
        metric="val_accuracy",
        direction="better",
        rope=ACCURACY,
        measure=partial(
            compare,
            sides=[
                ({"study": better, "optimizer": optimizer}, {"study": worse, "optimizer": optimizer})
                for optimizer in ("Adam", "AdaMax")
                for worse, better in pairwise(STUDIES)
            ],
        ),
        readings=INVERSE_SQRT,
    ),
    Claim(
        number=20,
        source=SOURCE,
        text="Dropout raises the test accuracy (so says the text; the table shows it in one cell of four).",
        studies=STUDIES[1:],
        metric="val_accuracy",
        direction="better",
        rope=ACCURACY,
        measure=partial(
            compare,
            sides=[
                (
                    {"study": study, "optimizer": optimizer, "variant": "dropout"},
                    {"study": study, "optimizer": optimizer, "variant": ""},
                )
                for study in STUDIES[1:]
                for optimizer in ("Adam", "AdaMax")
            ],
        ),
        readings=INVERSE_SQRT,
    ),
)
