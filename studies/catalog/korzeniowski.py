"""The studies of Korzeniowski: a whole grid is trained, nothing is chosen."""

from itertools import product
from typing import Any

from studies.catalog.network import INVERSE_SQRT, Arm, NetworkStudy, Smoke

GRID = tuple(
    Arm(optimizer, alpha, beta_2, bias_correction=correction, schedule="linear")
    for alpha, beta_2, correction, optimizer in product(
        (0.01, 0.001, 0.0001), (0.99, 0.999), (True, False), ("Adam", "AMSGrad")
    )
)

# For the claim that linear decay reaches lower losses than the original paper's alpha / sqrt(t).
ROOTS = tuple(
    Arm("Adam", alpha, 0.999, schedule=schedule) for alpha, schedule in product((0.01, 0.001, 0.0001), INVERSE_SQRT)
)

LEFT_OPEN = (
    "The rows that fill up the last batch of an epoch are drawn with replacement from all training rows (D).",
    "The order of batches, dropout and flips follow from the seed, the same for every setting (D).",
    "Biases start at zero (D).",
)

EACH: dict[str, Any] = {
    "source": "korzeniowski",
    "arms": GRID,
    "epochs": 150,
    "seeds": 5,
    "fill_last_batch": True,
    "loss": "clipped_crossentropy",
}
CIFAR10 = {
    **EACH,
    "data": "cifar10",
    "flip": True,
    "left_open": (
        *LEFT_OPEN,
        "Convolutions and hidden layers start He normal, the softmax layer Glorot uniform (D).",
    ),
    "smoke_scale": Smoke(train_rows=192, test_rows=128, epochs=2, seeds=1, arms=2),
}

STUDIES = (
    NetworkStudy(
        name="korzeniowski-logistic",
        title="Logistic regression on MNIST, the whole grid",
        question="Which of Adam and AMSGrad has the lower training and validation loss on a convex problem?",
        data="mnist",
        model="logistic",
        split="first-50000",
        divide_by=256,
        center=True,
        left_open=LEFT_OPEN,
        variants={
            "inverse-sqrt": {
                "title": "Logistic regression on MNIST, with alpha / sqrt(t)",
                "question": "Does linear decay reach a lower training loss than alpha / sqrt(t)?",
                "arms": ROOTS,
                "left_open": (
                    *LEFT_OPEN,
                    "The source shows no such runs of its own: Adam, corrected, beta_2 .999, its three rates; t is the "
                    "epoch in one half of the runs, the update in the other (D).",
                ),
            }
        },
        **EACH,
    ),
    NetworkStudy(
        name="korzeniowski-cifarnet",
        title="CifarNet on CIFAR-10, the whole grid",
        question="Does either optimizer train the original paper's CifarNet better, and which rates fail?",
        model="cifarnet",
        **CIFAR10,
    ),
    NetworkStudy(
        name="korzeniowski-smallvgg",
        title="A small VGG network on CIFAR-10, the whole grid",
        question="Does AMSGrad generalise better than Adam on a network with batch normalisation?",
        model="smallvgg",
        **CIFAR10,
    ),
    NetworkStudy(
        name="korzeniowski-vgg",
        title="A VGG network on CIFAR-10, the whole grid",
        question="Is AMSGrad's final validation loss lower than Adam's in every setting?",
        model="vgg",
        **CIFAR10,
    ),
)
