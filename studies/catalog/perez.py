"""The studies of Pérez: Adam and AdaMax with a step size of alpha / sqrt(t), with and without dropout."""

from typing import Any

from studies.catalog.network import INVERSE_SQRT, Arm, NetworkStudy, Smoke

# Test accuracy in percent, of the source's table, by study, variant and optimizer.
PUBLISHED = {
    ("perez-logistic", "", "Adam"): 92.69,
    ("perez-logistic", "", "AdaMax"): 92.38,
    ("perez-mlp", "", "Adam"): 98.17,
    ("perez-mlp", "", "AdaMax"): 98.33,
    ("perez-mlp", "dropout", "Adam"): 98.43,
    ("perez-mlp", "dropout", "AdaMax"): 98.14,
    ("perez-cnn", "", "Adam"): 99.21,
    ("perez-cnn", "", "AdaMax"): 99.09,
    ("perez-cnn", "dropout", "Adam"): 99.21,
    ("perez-cnn", "dropout", "AdaMax"): 99.09,
}


def arms(*models: tuple[str, str], alpha: float = 0.001, l2: float = 0.0) -> tuple[Arm, ...]:
    """Return an arm for each model (variant, name), schedule and optimizer."""
    return tuple(
        Arm(optimizer, alpha, 0.999, correction, schedule, variant=variant, model=model, l2=l2)
        for variant, model in models
        for schedule in INVERSE_SQRT
        for optimizer, correction in (("Adam", True), ("AdaMax", None))
    )


EACH: dict[str, Any] = {"source": "perez", "data": "mnist", "epochs": 20}
LEFT_OPEN = (
    "Pixels are divided by 255 (D).",
    "alpha is .001 (D).",
    "t in alpha / sqrt(t) is the epoch in one half of the runs, the update in the other: the text does not say (D).",
    "Batches of 128; initial weights are Glorot uniform, biases zero (D).",
    "No L2 penalty, as reported.",
)
TEN_SEEDS = "The source states no number of runs: ten for each cell (D)."
ONE_SEED = "The source states no number of runs: one for each cell (D); `--seeds` runs more."

STUDIES = (
    NetworkStudy(
        name="perez-logistic",
        title="Logistic regression on MNIST, Adam and AdaMax",
        question="Is Adam at least as accurate as AdaMax?",
        model="logistic",
        arms=arms(("", "")),
        seeds=10,
        left_open=(*LEFT_OPEN, TEN_SEEDS),
        variants={
            "alpha-of-the-paper": {
                "title": "Logistic regression on MNIST, with the step size of AdaMax's paper",
                "question": "Which accuracy do Adam and AdaMax reach with the step size of AdaMax's own paper?",
                "arms": arms(("", ""), alpha=0.002),
                "left_open": (*LEFT_OPEN, "alpha is .002 here, Kingma and Ba's default for AdaMax (D).", TEN_SEEDS),
            },
            "l2": {
                "title": "Logistic regression on MNIST, with an L2 penalty",
                "question": "Does the L2 penalty that the source tried make a difference?",
                "arms": tuple(arm for l2 in (0.0, 1e-5, 1e-4) for arm in arms((f"l2={l2:g}", ""), l2=l2)),
                "left_open": (
                    *LEFT_OPEN[:-1],
                    "lambda times the sum of all squared weights and biases is added to the loss, for three values of "
                    "lambda (D). Accuracies are compared: the losses include the penalty.",
                    TEN_SEEDS,
                ),
            },
        },
        **EACH,
    ),
    NetworkStudy(
        name="perez-mlp",
        title="A network with two hidden layers on MNIST, Adam and AdaMax",
        question="Is Adam at least as accurate as AdaMax, and does dropout help?",
        model="mlp",
        arms=arms(("", ""), ("dropout", "mlp-dropout")),
        seeds=1,
        left_open=(*LEFT_OPEN, "Dropout is .5 after each hidden layer (D).", ONE_SEED),
        **EACH,
    ),
    NetworkStudy(
        name="perez-cnn",
        title="A convolutional network on MNIST, Adam and AdaMax",
        question="Is Adam at least as accurate as AdaMax, and does dropout help?",
        model="cnn",
        arms=arms(("", ""), ("dropout", "cnn-dropout")),
        seeds=1,
        left_open=(
            *LEFT_OPEN,
            "64 channels of 5 x 5 in both convolutions and 1,000 hidden units, after Kingma and Ba (D).",
            "Dropout is .5 before the last layer (D).",
            ONE_SEED,
        ),
        smoke_scale=Smoke(train_rows=256, test_rows=128, epochs=2, seeds=1),
        **EACH,
    ),
)
