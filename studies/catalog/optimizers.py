"""The numbers that each optimizer has, by the name of its class: what a grid may search over."""

OF_EVERY = ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue")
OF_ADAM = ("beta_1", "beta_2", "epsilon")
OWN = {
    **dict.fromkeys(("Adam", "AMSGrad", "AdaMax", "RAdam", "AdaBelief", "Yogi", "AdamW", "Adamax"), OF_ADAM),
    "Nadam": (*OF_ADAM, "momentum_decay"),
    "NDAdam": (*OF_ADAM, "other_learning_rate"),
    "SWATS": (*OF_ADAM, "tolerance"),
    "SGD": ("momentum",),
    "RMSprop": ("rho", "momentum", "epsilon"),
    "Adagrad": ("initial_accumulator_value", "epsilon"),
    "Adadelta": ("rho", "epsilon"),
    "Lion": ("beta_1", "beta_2"),
}


def numbers_of(optimizer: str) -> tuple[str, ...]:
    """Return the names of the numbers that an optimizer has.

    >>> numbers_of("Lion")
    ('learning_rate', 'beta_1', 'beta_2', 'weight_decay', 'clipnorm', 'global_clipnorm', 'clipvalue')
    """
    return ("learning_rate", *OWN[optimizer], *OF_EVERY)
