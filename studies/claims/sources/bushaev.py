"""What Bushaev's article says of Adam and its variants."""

from functools import partial

from studies.claims.claim import ACCURACY, LOSS, Claim
from studies.claims.comparisons import compare
from studies.claims.measures import separation
from studies.claims.sources.reddi import WALKS
from studies.claims.walks import largest_step, scaled

SOURCE = "Bushaev"


def bushaev_sides(prefix):
    """Return Adam against each of its variants; `prefix` names the variant of the study."""
    adam = {"study": "bushaev-variants", "variant": prefix, "optimizer": "Adam"}
    others = [adam | {"optimizer": name} for name in ("AdaMax", "Nadam", "AMSGrad", "NDAdam", "SWATS", "SGD")]
    others.append(adam | {"variant": "+".join(filter(None, (prefix, "adamw")))})
    return [(adam, other) for other in others]


CLAIMS = (
    Claim(
        number=21,
        source=SOURCE,
        text="A step of Adam is bounded by α, approximately (here: within a tenth).",
        studies=WALKS,
        metric="largest_step",
        direction="no worse",
        rope=0.1,
        measure=largest_step,
        seeded=False,
        if_contradicted="Without bias correction, and with large gradients that by chance follow each other closely, a "
        "step may reach α (1 − β₁)/√((1 − β₂)(1 − β₁²/β₂)), by the inequality of Cauchy and Schwarz: 2.35 α with the "
        "betas (.9, .99) of this problem. What the claim leaves to “approximately” is a factor of two.",
    ),
    Claim(
        number=22,
        source=SOURCE,
        text="Adam's steps do not depend on the scale of the gradient.",
        studies=("synthetic-online",),
        metric="x",
        direction="same",
        rope=1e-4,
        measure=scaled,
        seeded=False,
        commands=("python -m studies run synthetic-online", "python -m studies run synthetic-online --variant scaled"),
    ),
    Claim(
        number=23,
        source=SOURCE,
        text="Decoupled decay separates the choice of α from that of the decay, L2 does not.",
        studies=("bushaev-variants",),
        metric="val_accuracy",
        direction="better",
        rope=ACCURACY,
        measure=partial(separation, variant="decay"),
        if_contradicted="A share λ of each weight that every update takes whatever α is, as the source has it, is "
        "balanced by steps of about α where weights are near α/λ: small rates with large decays leave no weights to "
        "speak of. Keras and PyTorch multiply the decay by α, which avoids that.",
        commands=("python -m studies run bushaev-variants --variant decay",),
    ),
    Claim(
        number=24,
        source=SOURCE,
        text="On equal terms no variant beats Adam by more than the ROPE (final validation loss).",
        studies=("bushaev-variants",),
        metric="val_loss",
        direction="no worse",
        rope=LOSS,
        measure=partial(compare, sides=bushaev_sides("") + bushaev_sides("mnist")),
        if_contradicted="The variant that is ahead, AdamW with warm restarts, lets its rate fall to nothing at last; "
        "Adam's stays as it is: the terms are equal in their search and seeds, not in their schedule.",
        commands=("python -m studies run bushaev-variants", "python -m studies run bushaev-variants --variant mnist"),
    ),
)
