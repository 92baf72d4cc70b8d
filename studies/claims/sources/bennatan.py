"""What Bennatan, Collin and Ng conclude from their networks."""

from studies.claims.claim import Claim, Reading, single
from studies.claims.comparisons import Standardized, versus
from studies.claims.evidence import Evidence
from studies.claims.grids import Range, choices
from studies.claims.shares import Share
from studies.claims.walks import Sooner

LOGISTIC, FEEDFORWARD, CIFARNET = MCGILL = ("mcgill-logistic", "mcgill-feedforward", "mcgill-cifarnet")
READINGS = {
    "tuned by loss": "",
    "tuned by accuracy": "by-accuracy",
    "Table I": "published-settings",
    "as coded, tuned": "as-coded",
    "as coded, Table I": "as-coded+published-settings",
}
RUN = {LOGISTIC: "", FEEDFORWARD: "", CIFARNET: "published-settings"}  # a search on CifarNet takes days here


def by_reading(study: str, metric: str, direction: str) -> tuple[Reading, ...]:
    """Return AMSGrad against Adam by each way in which settings may be chosen."""
    return tuple(
        Reading(name, (versus(study, "AMSGrad", "Adam", metric, direction, variant=variant),))
        for name, variant in READINGS.items()
    )


def everywhere() -> tuple[Evidence, ...]:
    """Return AMSGrad against Adam on all three networks, in test loss and test accuracy."""
    return tuple(
        versus(study, "AMSGrad", "Adam", metric, direction, variant=variant)
        for study, variant in RUN.items()
        for metric, direction in (("val_loss", "lower"), ("val_accuracy", "higher"))
    )


def in_range(study: str, variant: str, low: float, high: float) -> Range:
    """Return whether the training losses of a variant lie in a range."""
    side = {"study": study, "variant": variant}
    return Range(label=f"{study}, {variant or 'scaled'}", metric="train_loss", published=(low, high), a=side)


def sooner(study: str) -> Sooner:
    """Return whether AMSGrad as coded comes near the best point in fewer steps than with the paper's settings."""
    paper = {"study": study, "optimizer": "AMSGrad"}
    return Sooner(label=study, direction="lower", rope=0, a=paper | {"variant": "as-coded"}, b=paper)


CLAIMS = (
    Claim(
        number=5,
        source="bennatan",
        quote="we observe no discernible difference between the final training loss achieved by AMSGrad and the loss "
        "achieved by Adam",
        place="logistic regression",
        text="Logistic regression: the final training losses of AMSGrad and Adam differ by less than 2 %.",
        readings=by_reading(LOGISTIC, "train_loss", "same"),
    ),
    Claim(
        number=6,
        source="bennatan",
        quote="AMSGrad yielded slightly lower training loss than Adam",
        place="feed-forward network",
        text="Feed-forward network: AMSGrad's final training loss is lower than Adam's.",
        readings=by_reading(FEEDFORWARD, "train_loss", "lower"),
    ),
    Claim(
        number=7,
        source="bennatan",
        quote="AMSGrad yielded slightly lower training loss than Adam",
        place="CifarNet",
        text="CifarNet: AMSGrad's final training loss is lower than Adam's.",
        readings=by_reading(CIFARNET, "train_loss", "lower"),
    ),
    Claim(
        number=8,
        source="bennatan",
        quote="the training loss trajectories can vary quite significantly between runs; in some runs of training the "
        "logistic regression classifier, we observed that Adam performed better than AMSGrad",
        text="In some pairs of runs Adam's final training loss is the lower one (logistic regression); the gap between "
        "the optimizers is no larger than what one pair differs from the next (all networks).",
        readings=(
            Reading(
                "some pairs",
                (
                    Share(
                        label=LOGISTIC,
                        metric="train_loss",
                        a={"study": LOGISTIC, "optimizer": "Adam"},
                        b={"study": LOGISTIC, "optimizer": "AMSGrad"},
                    ),
                ),
            ),
            Reading(
                "spread against gap",
                tuple(
                    Standardized(
                        label=study,
                        metric="train_loss",
                        direction="not higher",
                        rope=0,
                        a={"study": study, "optimizer": "AMSGrad", "variant": variant},
                        b={"study": study, "optimizer": "Adam", "variant": variant},
                    )
                    for study, variant in RUN.items()
                ),
            ),
        ),
    ),
    Claim(
        number=9,
        source="bennatan",
        place="Table I",
        text="The search chooses the settings of Table I.",
        readings=tuple(
            Reading(name, tuple(each for study in MCGILL for each in choices(study, metric, variant)))
            for name, metric, variant in (
                ("by loss, last epoch", "val_loss", ""),
                ("by loss, best epoch", "best_val_loss", ""),
                ("by accuracy", "val_accuracy", ""),
                ("as coded", "val_accuracy", "as-coded"),
            )
        ),
    ),
    Claim(
        number=26,
        source="bennatan",
        quote="we observed training losses in roughly the range (1, 6), while the authors report losses in the range "
        "(.2, .7); we concluded that the authors must have used a loss function other than categorical-crossentropy",
        text="With categorical cross-entropy the training losses lie between 1 and 6, not between .2 and .7.",
        note="The source's code never scales its inputs. The readings tell scaled from unscaled ones.",
        readings=(
            Reading("unscaled inputs", (in_range(LOGISTIC, "unscaled", 1, 6),)),
            Reading("scaled inputs", (in_range(LOGISTIC, "", 1, 6),)),
        ),
    ),
    Claim(
        number=27,
        source="bennatan",
        quote="When using this loss function we found that our observed losses aligned more closely",
        text="With binary cross-entropy the training losses lie between .2 and .7.",
        readings=(
            Reading("scaled inputs", (in_range(LOGISTIC, "binary-crossentropy+published-settings", 0.2, 0.7),)),
            Reading("as coded", (in_range(LOGISTIC, "as-coded", 0.2, 0.7),)),
        ),
    ),
    Claim(
        number=28,
        source="bennatan",
        quote="our AMSGrad converged more quickly to the optimal x value than in the paper",
        text="AMSGrad as coded takes fewer steps until x stays below −.9 than with the settings of the paper.",
        readings=single(sooner("synthetic-online"), sooner("synthetic-stochastic")),
    ),
    Claim(
        number=29,
        source="bennatan",
        quote="our experiments suggest that AMSGrad has only a modest advantage over Adam",
        text="AMSGrad's test loss is lower and its test accuracy higher than Adam's, on all three networks.",
        note="CifarNet has the settings of Table I, the others those of their searches.",
        readings=single(*everywhere()),
    ),
)
