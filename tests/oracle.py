"""The algorithms once more, in plain NumPy float64, written from the papers and not from the package's rules."""

import numpy as np


def gradients(steps, size=7):
    """Return (steps, size) gradients over five orders of magnitude: large at first, then small, with rare spikes.

    Gradients that only grow cannot tell AMSGrad from Adam.
    """
    rng = np.random.default_rng(0)
    scale = 10.0 ** np.linspace(2, -3, steps)[:, None] * 10.0 ** rng.uniform(-1, 1, size)
    spikes = np.where(rng.random((steps, size)) < 0.01, 30.0, 1.0)
    return rng.normal(size=(steps, size)) * scale * spikes


def adam(gs, theta, alpha, beta_1, beta_2, epsilon, corrected, amsgrad=False):
    """Return theta after every step, (steps, size)."""
    m, v, v_max, path = np.zeros_like(theta), np.zeros_like(theta), np.zeros_like(theta), []
    for t, g in enumerate(gs, start=1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        v_max = np.maximum(v_max, v)
        step_size = alpha * np.sqrt(1 - beta_2**t) / (1 - beta_1**t) if corrected else alpha
        theta = theta - step_size * m / (np.sqrt(v_max if amsgrad else v) + epsilon)
        path.append(theta)
    return np.array(path)


def adamax(gs, theta, alpha, beta_1, beta_2, epsilon):
    """Return theta after every step, (steps, size)."""
    m, u, path = np.zeros_like(theta), np.zeros_like(theta), []
    for t, g in enumerate(gs, start=1):
        m = beta_1 * m + (1 - beta_1) * g
        u = np.maximum(beta_2 * u, np.abs(g))
        theta = theta - alpha / (1 - beta_1**t) * m / (u + epsilon)
        path.append(theta)
    return np.array(path)


def nadam(gs, theta, alpha, beta_1, beta_2, epsilon, momentum_decay):
    """Return theta after every step, (steps, size)."""
    mu = [
        beta_1 if momentum_decay is None else beta_1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
        for t in range(len(gs) + 2)
    ]
    m, v, path = np.zeros_like(theta), np.zeros_like(theta), []
    for t, g in enumerate(gs, start=1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        ahead = mu[t + 1] * m / (1 - np.prod(mu[1 : t + 2])) + (1 - mu[t]) * g / (1 - np.prod(mu[1 : t + 1]))
        theta = theta - alpha * ahead / (np.sqrt(v / (1 - beta_2**t)) + epsilon)
        path.append(theta)
    return np.array(path)


def radam(gs, theta, alpha, beta_1, beta_2, epsilon):
    """Return theta after every step, (steps, size)."""
    m, v, path = np.zeros_like(theta), np.zeros_like(theta), []
    rho_inf = 2 / (1 - beta_2) - 1
    for t, g in enumerate(gs, start=1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        rho = rho_inf - 2 * t * beta_2**t / (1 - beta_2**t)
        step = alpha * m / (1 - beta_1**t)
        if rho > 5:
            r = np.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
            step = r * step / (np.sqrt(v / (1 - beta_2**t)) + epsilon)
        theta = theta - step
        path.append(theta)
    return np.array(path)


def adabelief(gs, theta, alpha, beta_1, beta_2, epsilon):
    """Return theta after every step, (steps, size)."""
    m, s, path = np.zeros_like(theta), np.zeros_like(theta), []
    for t, g in enumerate(gs, start=1):
        m = beta_1 * m + (1 - beta_1) * g
        s = beta_2 * s + (1 - beta_2) * (g - m) ** 2 + epsilon
        theta = theta - alpha * (m / (1 - beta_1**t)) / (np.sqrt(s / (1 - beta_2**t)) + epsilon)
        path.append(theta)
    return np.array(path)


def yogi(gs, theta, alpha, beta_1, beta_2, epsilon, corrected=False):
    """Return theta after every step, (steps, size)."""
    m, v, path = np.zeros_like(theta), np.zeros_like(theta), []
    for t, g in enumerate(gs, start=1):
        m = beta_1 * m + (1 - beta_1) * g
        v = v - (1 - beta_2) * np.sign(v - g**2) * g**2
        step_size = alpha * np.sqrt(1 - beta_2**t) / (1 - beta_1**t) if corrected else alpha
        theta = theta - step_size * m / (np.sqrt(v) + epsilon)
        path.append(theta)
    return np.array(path)


def nd_adam(gs, theta, alpha, beta_1, beta_2, epsilon):
    """Return theta after every step, for gradients (steps, inputs, units) whose columns are the units' vectors."""
    m, v, path = np.zeros_like(theta), np.zeros(theta.shape[1]), []
    theta = theta / np.linalg.norm(theta, axis=0)
    for t, g in enumerate(gs, start=1):
        g = g - (g * theta).sum(axis=0) * theta
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * (g**2).sum(axis=0)
        theta = theta - alpha * (m / (1 - beta_1**t)) / (np.sqrt(v / (1 - beta_2**t)) + epsilon)
        theta = theta / np.linalg.norm(theta, axis=0)
        path.append(theta)
    return np.array(path)


def swats(gradient, theta, steps, alpha, beta_1, beta_2, epsilon, tolerance):
    """Return (theta after every step, the step of the switch or None, its rate or None) on a function's gradient."""
    m, v, b, rate, sgd_rate, switch, path = 0.0, 0.0, 0.0, 0.0, None, None, []
    for t in range(1, steps + 1):
        g = gradient(theta)
        if sgd_rate is not None:
            b = beta_1 * b + g
            theta = theta - (1 - beta_1) * sgd_rate * b
        else:
            m = beta_1 * m + (1 - beta_1) * g
            v = beta_2 * v + (1 - beta_2) * g**2
            p = -alpha * np.sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (np.sqrt(v) + epsilon)
            theta = theta + p
            if p @ g != 0:
                gamma = (p @ p) / -(p @ g)
                rate = beta_2 * rate + (1 - beta_2) * gamma
                estimate = rate / (1 - beta_2**t)
                if t > 1 and abs(estimate - gamma) < tolerance and estimate > 0:
                    sgd_rate, switch = estimate, t
        path.append(theta)
    return np.array(path), switch, sgd_rate


def path_of(
    name,
    gs,
    theta,
    alpha=0.01,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    bias_correction=True,
    momentum_decay=None,
    tolerance=None,
):
    """Return the path of one of the package's optimizers, by its class name; SWATS's gradients are (steps, n)."""
    settings = alpha, beta_1, beta_2, epsilon
    others = {"AdaMax": adamax, "RAdam": radam, "AdaBelief": adabelief, "NDAdam": nd_adam}
    if name in others:
        return others[name](gs, theta, *settings)
    if name == "Nadam":
        return nadam(gs, theta, *settings, momentum_decay)
    if name == "Yogi":
        return yogi(gs, theta, *settings, bias_correction)
    if name == "SWATS":
        left = iter(gs)
        return swats(lambda _: next(left), theta, len(gs), *settings, tolerance)[0]
    return adam(gs, theta, *settings, bias_correction, amsgrad=name == "AMSGrad")
