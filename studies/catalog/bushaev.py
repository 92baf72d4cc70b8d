"""The study after Bushaev: the variants of Adam on equal terms, and two ways to decay weights."""

from typing import Any

from studies.catalog.network import Arm, NetworkStudy, Search

VARIANTS_OF_ADAM = (
    Arm("Adam"),
    Arm("AdaMax", bias_correction=None),
    Arm("Nadam", bias_correction=None, options={"momentum_decay": None}),
    Arm("AMSGrad", bias_correction=False),
    Arm("Adam", schedule="warm-restarts", options={"normalized_decay": 0.025}, variant="adamw"),
    Arm("NDAdam", bias_correction=None),
    Arm("SWATS", bias_correction=None),
    Arm("SGD", bias_correction=None, options={"momentum": 0.9}),
)
RATES = (1e-4, 1e-3, 1e-2, 0.1, 1.0)

PROBLEM = "The source reports no network: a hidden layer of 100 ReLU units (D)."
RESTARTS = (
    "Restarts come after 2, 6, 14 and 30 epochs: each period is as long as all before and two more; the rate falls to "
    "0 in each (D)."
)
TWO_WAYS = (
    "l2: the strength times the sum of all squared weights is added to the loss, and to the reported losses. "
    "decoupled: every update takes alpha times the decay of each weight, as the source writes the rule."
)
TUNED = "Each arm is searched alike: five learning rates, beta_2 .999, 3 folds, lowest validation loss (D)."
LEFT_OPEN = (
    PROBLEM,
    "Each variant is searched alike: five learning rates, beta_2 .999, 3 folds, lowest validation loss (D).",
    "Nadam has a constant momentum, as the source writes it; SWATS a tolerance of 1e-5; SGD a momentum of .9 (D).",
    "adamw: Adam with normalised decay .025 and restarts (D).",
    RESTARTS,
    "Runs with the same seed start from the same weights and see the same batches (D).",
)
DIGITS = "Data: scikit-learn's digits, a quarter of them for the test (D)."

L2S, WEIGHT_DECAYS = (0.0, 1e-5, 1e-4, 1e-3, 1e-2), (0.0, 0.01, 0.1, 1.0, 10.0)


def decayed(
    alpha: float | None = None,
    schedule: str = "",
    l2s: tuple[float, ...] = L2S,
    weight_decays: tuple[float, ...] = WEIGHT_DECAYS,
) -> tuple[Arm, ...]:
    """Return an arm of Adam for each strength of an L2 penalty, and of decoupled decay at the source's rule.

    The rule is w <- w - alpha (m / (sqrt(v) + epsilon) + weight_decay w), which is Keras's `weight_decay`.
    """
    beta_2 = None if alpha is None else 0.999
    l2 = [Arm("Adam", alpha, beta_2, schedule=schedule, variant=f"l2={each:g}", l2=each) for each in l2s]
    decoupled = [
        Arm("Adam", alpha, beta_2, schedule=schedule, variant=f"decoupled={each:g}", options={"weight_decay": each})
        for each in weight_decays
    ]
    return (*l2, *decoupled)


def at_length(epochs: int) -> dict[str, Any]:
    """Return what a variant changes to look for the best decoupled decay of so many epochs."""
    return {
        "title": f"Decoupled decay over {epochs} epochs",
        "question": "Does the best decay depend on the number of updates, and the best normalised decay not?",
        "search": None,
        "epochs": epochs,
        "arms": decayed(0.001, l2s=(), weight_decays=(0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)),
        "left_open": (DIGITS, PROBLEM, "alpha is .001, seven decays a factor of about 3 apart (D)."),
    }


STUDIES = (
    NetworkStudy(
        name="bushaev-variants",
        title="The variants of Adam on handwritten digits",
        source="bushaev",
        question="Does any variant of Adam beat Adam?",
        data="digits",
        model="feedforward",
        arms=VARIANTS_OF_ADAM,
        search=Search(learning_rates=RATES, beta_2s=(0.999,), epochs=14),
        epochs=30,
        seeds=10,
        divide_by=16,
        published_note="The source reports no numbers.",
        left_open=(DIGITS, *LEFT_OPEN),
        variants={
            "mnist": {
                "title": "The variants of Adam on MNIST",
                "data": "mnist",
                "divide_by": 255,
                "search": Search(learning_rates=RATES, beta_2s=(0.999,), epochs=6),
                "epochs": 14,
                "left_open": ("Data: MNIST, the official split, pixels divided by 255 (D).", *LEFT_OPEN),
            },
            "decay": {
                "title": "Two ways to decay weights",
                "question": "Does decoupled decay separate the choice of the rate from that of the decay?",
                "search": None,
                "arms": tuple(arm for alpha in (3e-4, 1e-3, 3e-3, 1e-2, 3e-2) for arm in decayed(alpha)),
                "left_open": (DIGITS, PROBLEM, TWO_WAYS, "Five rates by five decays, Adam, constant rate (D)."),
            },
            "restarts": {
                "title": "Decay and warm restarts",
                "question": "Does decoupled decay help Adam, and do warm restarts, each at its best settings?",
                "arms": tuple(arm for schedule in ("", "warm-restarts") for arm in decayed(schedule=schedule)),
                "left_open": (DIGITS, PROBLEM, TWO_WAYS, TUNED, RESTARTS),
            },
            **{f"decay-{epochs}-epochs": at_length(epochs) for epochs in (10, 20, 40)},
        },
    ),
)
