"""The studies of Pérez: Adam and AdaMax with a step size of alpha / sqrt(t), with and without dropout."""

from typing import Any

from studies.catalog.network import INVERSE_SQRT, Arm, NetworkStudy, Smoke

PEREZ = 'Pérez, "An Investigation of ADAM: A Stochastic Optimization Method"'

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


def arms(*models):
    """Return an arm for each model (variant, name), schedule and optimizer."""
    return tuple(
        Arm(optimizer, 0.001, 0.999, correction, schedule, variant=variant, model=model)
        for variant, model in models
        for schedule in INVERSE_SQRT
        for optimizer, correction in (("Adam", True), ("AdaMax", None))
    )


EACH: dict[str, Any] = {"source": PEREZ, "data": "mnist", "epochs": 20}
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
                "title": "Logistic regression on MNIST, AdaMax with the step size of its paper",
                "question": "Is it our step size that leaves AdaMax behind the source's accuracy?",
                "arms": tuple(Arm("AdaMax", 0.002, 0.999, None, schedule) for schedule in INVERSE_SQRT),
                "left_open": (*LEFT_OPEN, "alpha is .002 here, Kingma and Ba's default for AdaMax (D).", TEN_SEEDS),
            }
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
