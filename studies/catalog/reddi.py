"""The studies of Reddi, Kale and Kumar: problems on which Adam fails. The other sources repeat them."""

from studies.catalog.synthetic import Losses, SyntheticStudy

LEFT_OPEN = (
    "Epsilon is 1e-8, added to the root (D).",
    "AdaMax and Nadam, which the source does not try, are corrected as their own papers define them, Nadam with "
    "constant momentum (D). SGD, AdaGrad and RMSProp are members of the source's general frame, RMSProp with Adam's "
    "beta_2 (D).",
    "Left out: ND-Adam, whose weight vectors of norm 1 have nowhere to go in one dimension; and SWATS, which ends as "
    "SGD at a rate it finds, so that it has no step size alpha / sqrt(t) to compare (D).",
)
CONSTANT = (
    "AdaGrad's psi is the mean of all squared gradients, which with alpha / sqrt(t) makes the usual AdaGrad. With the "
    "constant alpha of this variant its steps do not shrink (D).",
    *LEFT_OPEN,
)
FROM_ZERO = "x starts at 0 (D)."
BY_CHANCE = (
    "20 seeds; each draws its own losses, the same for every optimizer (D).",
    "The regret is against -1, the best point in expectation; while few steep losses have come, +1 may have been "
    "better so far, and the regret negative (D).",
)
READ_OFF = "The step size .5 / sqrt(t) is read off the figure of Reddi, Kale and Kumar (D)."
SAME_RULE = "With beta_1 = 0, Adam and RMSProp are the same rule."
CORRECTED = {"bias_corrected": ("Adam", "AMSGrad")}  # as Kingma and Ba define Adam
AS_CODED = {"source": "bennatan", "beta_2": 0.999, "bias_corrected": ("Adam",)}
KORZENIOWSKI_SETTINGS = {
    "source": "korzeniowski",
    "alpha": 0.001,
    "schedule": "constant",
    "start": 0.0,
    "steps": 9_000_000,
}

STUDIES = (
    SyntheticStudy(
        name="synthetic-online",
        title="The counterexample with one steep loss in 101",
        source="reddi",
        question="Does Adam move away from the best point of a convex problem at the settings used in practice?",
        problems=(Losses(1010.0, 10.0, period=101),),
        alpha=0.5,
        beta_1=0.9,
        beta_2=0.99,
        start=0.0,
        steps=7_000_000,
        left_open=(
            READ_OFF,
            FROM_ZERO,
            *LEFT_OPEN,
        ),
        variants={
            "as-coded": AS_CODED | {"alpha": 0.01, "schedule": "constant", "left_open": (FROM_ZERO, *CONSTANT)},
            "korzeniowski": KORZENIOWSKI_SETTINGS | {"left_open": CONSTANT},
            "corrected": CORRECTED,
            "scaled": {
                "source": "bushaev",
                "title": "The counterexample with one steep loss in 101, all slopes scaled",
                "question": "Do Adam's steps depend on the size of the gradients?",
                "problems": tuple(
                    Losses(1010 * scale, 10 * scale, period=101) for scale in (1e-9, 1e-6, 1e-3, 1.0, 1e3, 1e6)
                ),
                "steps": 1_000_000,
                "left_open": (
                    READ_OFF,
                    FROM_ZERO,
                    "All slopes times 1e-9, 1e-6, 1e-3, 1, 1e3 and 1e6 (D).",
                    *LEFT_OPEN,
                ),
            },
        },
    ),
    SyntheticStudy(
        name="synthetic-stochastic",
        title="The counterexample with steep losses by chance",
        source="reddi",
        question="Does Adam also go wrong where the losses are independent draws from one distribution?",
        problems=(Losses(1010.0, 10.0, probability=0.01),),
        alpha=0.5,
        beta_1=0.9,
        beta_2=0.99,
        start=1.0,
        steps=10_000_000,
        seeds=20,
        left_open=(
            READ_OFF,
            *BY_CHANCE,
            *LEFT_OPEN,
        ),
        variants={
            "as-coded": AS_CODED,
            "corrected": CORRECTED,
            "korzeniowski": KORZENIOWSKI_SETTINGS | {"left_open": (*BY_CHANCE, *CONSTANT)},
        },
    ),
    SyntheticStudy(
        name="synthetic-mod3",
        title="The counterexample with period three",
        source="reddi",
        question="Can Adam go to the worst point of a convex problem, where AMSGrad goes to the best?",
        problems=tuple(Losses(slope, 1.0, period=3) for slope in (3.0, 5.0, 10.0)),
        alpha=0.1,
        beta_1=0.0,
        beta_2=None,
        start=0.0,
        steps=1_000_000,
        left_open=(FROM_ZERO, SAME_RULE, *LEFT_OPEN),
        variants={
            "corrected": CORRECTED,
            "around-2": {
                "question": "Is C > 2 needed for Adam to go to the worst point?",
                "problems": tuple(Losses(slope, 1.0, period=3) for slope in (1.5, 2.0, 2.5)),
                "left_open": (
                    FROM_ZERO,
                    "The theorem needs C > 2. The mean slope is (C - 2) / 3, so that +1 is the best point for C = 1.5, "
                    "and every point is as good as another for C = 2. The regret is against -1 all the same (D).",
                    SAME_RULE,
                    *LEFT_OPEN,
                ),
            },
            "large-beta-1": {
                "question": "Where does Adam go with beta_1 > sqrt(beta_2), of which the theorem says nothing?",
                "beta_1": 0.9,
                "left_open": (
                    FROM_ZERO,
                    "beta_1 is .9; sqrt(beta_2) is .32, .20 and .10. The theorem asks for beta_1 < sqrt(beta_2) (D).",
                    *LEFT_OPEN,
                ),
            },
        },
    ),
)
