"""The study after Bushaev: the variants of Adam on equal terms, and two ways to decay weights."""

from itertools import product

from studies.catalog.network import Arm, NetworkStudy, Search

BUSHAEV = 'Bushaev, "Adam - latest trends in deep learning optimization"'

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

# An arm for each way to decay, rate and decay. The decay of the paper is not multiplied by alpha, Keras's is.
DECAYS = tuple(
    Arm("Adam", alpha, 0.999, variant=f"{way}={decay:g}", **settings)
    for decay, alpha in product((0.0, 1e-5, 1e-4, 1e-3, 1e-2), (3e-4, 1e-3, 3e-3, 1e-2, 3e-2))
    for way, settings in (("l2", {"l2": decay}), ("decoupled", {"options": {"weight_decay": decay / alpha}}))
)

PROBLEM = "The source reports no network: a hidden layer of 100 ReLU units (D)."
LEFT_OPEN = (
    PROBLEM,
    "Each variant is searched alike: five learning rates, beta_2 .999, 3 folds, lowest validation loss (D).",
    "Nadam has a constant momentum, as the source writes it; SWATS a tolerance of 1e-5; SGD a momentum of .9 (D).",
    "AdamW: normalised decay .025; restarts after 2, 6, 14 and 30 epochs, each as long as all before and two more; the "
    "rate falls to 0 (D).",
    "Runs with the same seed start from the same weights and see the same batches (D).",
)
DIGITS = "Data: scikit-learn's digits, a quarter of them for the test (D)."

STUDIES = (
    NetworkStudy(
        name="bushaev-variants",
        title="The variants of Adam on equal terms",
        source=BUSHAEV,
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
                "arms": DECAYS,
                "seeds": 3,
                "left_open": (
                    DIGITS,
                    PROBLEM,
                    "l2: decay times the sum of all squared weights is added to the loss, and to the reported losses. "
                    "decoupled: every update takes the share decay of each weight, whatever the rate (D).",
                    "Five rates by five decays, Adam, constant rate, 3 seeds (D).",
                ),
            },
        },
    ),
)
