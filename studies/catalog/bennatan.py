"""The studies of Bennatan, Collin and Ng, and their protocol on a problem small enough for a first look."""

from dataclasses import replace
from typing import Any

from studies.catalog.network import Arm, NetworkStudy, Search, Setting, Smoke

GRID: dict[str, Any] = {"learning_rates": (1e-4, 1e-3, 1e-2, 0.1, 1.0), "beta_2s": (0.99, 0.9925, 0.995, 0.9975, 0.999)}

EACH = (
    "Both optimizers are bias-corrected, with epsilon 1e-8 (D).",
    "Initial weights are Glorot uniform, biases zero (D).",
    "Folds are stratified and shuffled with a fixed seed; the same seed gives every optimizer the same folds, initial "
    "weights and order of batches (D).",
    "Training loss and accuracy are means over an epoch while it trains, as Keras reports them (D).",
)
BY_LOSS = (
    "The search keeps the setting with the lowest validation loss after the last epoch, averaged over the folds (D)."
)
BY_ACCURACY = "The search keeps the setting with the highest mean validation accuracy after the last epoch (D)."
LEFT_OPEN = (*EACH, BY_LOSS)
SCALED = "Pixels are divided by 255 (D)."
CATEGORICAL = (
    "The loss is categorical cross-entropy, computed from the logits; the text says binary cross-entropy, and the "
    "Keras of the source clips probabilities to [1e-7, 1 - 1e-7] (D)."
)
BINARY = (
    "The loss is the binary cross-entropy that the text names: the mean over the 10 outputs of the softmax, clipped to "
    "[1e-7, 1 - 1e-7]. Accuracy is still that of the most probable class (D)."
)
NEVER_SCALED = "Pixels are 0 to 255, as in the source's code, which never scales them."
AS_CODED = (
    NEVER_SCALED,
    "The search minimises the categorical cross-entropy of probabilities clipped to [1e-7, 1 - 1e-7], with a step size "
    "of alpha / (1 + .14 u) in update u = 0, 1, ..., and keeps the setting with the highest accuracy. The final runs "
    "minimise the binary cross-entropy.",
    "Epsilon is 1e-8, and the network's settings are those that the search here chooses: the file of settings that the "
    "source's final runs read is not known (D). `--search published` trains with those of Table I.",
)
OFFICIAL_MNIST = "The official split, 60,000 training and 10,000 test images (D)."
OFFICIAL_CIFAR10 = "The official split, 50,000 training and 10,000 test images (D)."
SHUFFLED_MNIST = "60,000 training and 10,000 test images out of all 70,000, shuffled once with seed 0 (seed: D)."
SEEN_CIFAR10 = (
    "The test set is the fifth training batch, as in the source's code. All five batches are trained on, so every test "
    "image was seen in training (D)."
)


def variants(
    search: Search, official: str, as_coded_split: str, as_coded_note: str, **as_coded: Any
) -> dict[str, dict[str, Any]]:
    """Return the variants of a study.

    as-coded             everything as the source's code has it
    unscaled             the protocol, but pixels of 0 to 255 and the split of the code
    binary-crossentropy  the protocol, with the loss that the source's text names
    by-accuracy          the protocol, but the search chooses by accuracy
    """
    coded = replace(search, select="val_accuracy", loss="clipped_crossentropy", schedule="inverse-time")
    return {
        "as-coded": {
            "divide_by": 1,
            "split": as_coded_split,
            "loss": "binary_crossentropy",
            "search": coded,
            "left_open": (*AS_CODED, as_coded_note, *EACH),
            **as_coded,
        },
        "unscaled": {
            "divide_by": 1,
            "split": as_coded_split,
            "left_open": (NEVER_SCALED, CATEGORICAL, as_coded_note, *LEFT_OPEN),
        },
        "binary-crossentropy": {
            "loss": "binary_crossentropy",
            "left_open": (SCALED, BINARY, official, *LEFT_OPEN),
        },
        "by-accuracy": {
            "search": replace(search, select="val_accuracy", of_protocol=True),
            "left_open": (SCALED, CATEGORICAL, official, *EACH, BY_ACCURACY),
        },
    }


MNIST_SEARCH = Search(**GRID, epochs=30)
MNIST: dict[str, Any] = {
    "source": "bennatan",
    "data": "mnist",
    "search": MNIST_SEARCH,
    "epochs": 50,
    "seeds": 5,
    "published_note": "Table I of the source.",
    "left_open": (SCALED, CATEGORICAL, OFFICIAL_MNIST, *LEFT_OPEN),
}
OF_MNIST = (MNIST_SEARCH, OFFICIAL_MNIST, "shuffled", SHUFFLED_MNIST)
CIFAR_SEARCH = Search(**GRID, epochs=15, patience=3)

STUDIES = (
    NetworkStudy(
        name="digits",
        title="Adam and AMSGrad on handwritten digits",
        source="digits",
        question="Does AMSGrad beat Adam on a small network, once each has the settings that suit it?",
        data="digits",
        model="feedforward",
        search=Search(learning_rates=(1e-3, 1e-2, 0.1, 1.0), beta_2s=(0.99, 0.999), epochs=15),
        epochs=30,
        seeds=10,
        divide_by=16,
        published_note="No source reports this study: the data are scikit-learn's bundled digits, 8 x 8 pixels.",
        left_open=("A quarter of the 1,797 images, stratified, is the test set (D).", *LEFT_OPEN),
    ),
    NetworkStudy(
        name="mcgill-logistic",
        title="Logistic regression on MNIST",
        question="Is there a discernible difference between Adam and AMSGrad on a convex problem?",
        model="logistic",
        published={"Adam": Setting(0.001, 0.99), "AMSGrad": Setting(0.001, 0.99)},
        variants=variants(
            *OF_MNIST,
            arms=tuple(Arm(name, schedule="inverse-sqrt-epoch") for name in ("Adam", "AMSGrad")),
        ),
        **MNIST,
    ),
    NetworkStudy(
        name="mcgill-feedforward",
        title="A network with one hidden layer on MNIST",
        question="Does AMSGrad reach a slightly lower training loss than Adam on a small network?",
        model="feedforward",
        published={"Adam": Setting(0.001, 0.99), "AMSGrad": Setting(0.001, 0.999)},
        variants=variants(*OF_MNIST, epochs=35),
        **MNIST,
    ),
    NetworkStudy(
        name="mcgill-cifarnet",
        title="CifarNet on CIFAR-10",
        source="bennatan",
        question="Does AMSGrad reach a slightly lower training loss than Adam on a convolutional network?",
        data="cifar10",
        model="cifarnet-drawn",
        search=CIFAR_SEARCH,
        epochs=30,
        seeds=5,
        published={"Adam": Setting(0.001, 0.999), "AMSGrad": Setting(0.001, 0.999)},
        published_note="Table I of the source.",
        left_open=(
            SCALED,
            CATEGORICAL,
            OFFICIAL_CIFAR10,
            "A fit of the search stops when its training loss has not gone down for 3 epochs; the text does not say "
            "which loss (D).",
            "The network is the one that the source draws; BatchNorm has Keras's momentum .99 and epsilon 1e-3 (D).",
            *LEFT_OPEN,
        ),
        variants=variants(CIFAR_SEARCH, OFFICIAL_CIFAR10, "fifth-batch", SEEN_CIFAR10),
        smoke_scale=Smoke(train_rows=192, test_rows=128, epochs=2, seeds=1, beta_2s=1),
    ),
)
