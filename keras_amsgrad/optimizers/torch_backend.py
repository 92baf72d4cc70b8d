"""torch: weights are updated in place, without a graph for gradients, and all at once where there is a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from keras import ops
from torch.optim.adam import adam

from keras_amsgrad import rules
from keras_amsgrad.internals import keras as keras_internals
from keras_amsgrad.internals import torch as torch_internals
from keras_amsgrad.optimizers.jax_backend import beside as beside
from keras_amsgrad.optimizers.jax_backend import check_supported as check_supported
from keras_amsgrad.optimizers.jax_backend import outside_of_traces as outside_of_traces
from keras_amsgrad.optimizers.jax_backend import overwrite_with_averages as overwrite_with_averages
from keras_amsgrad.optimizers.jax_backend import summed_over_devices as summed_over_devices
from keras_amsgrad.optimizers.settings import LARGEST_OF, Numbers, Variable
from keras_amsgrad.rules import Tensor

if TYPE_CHECKING:
    from keras_amsgrad.optimizers.base import RuleOptimizer

# torch's kernel corrects both moments from the number of the update. So many updates make its corrections 1: our step
# size already carries its own.
UPDATES = 1e9
LARGEST = LARGEST_OF["float32"]


def fused_adam(
    weights: list[Tensor],
    grads: list[Tensor],
    m: list[Tensor],
    v: list[Tensor],
    v_max: list[Tensor],
    *,
    alpha: Tensor,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> None:
    """Update all weights and slots in one pass over memory; an empty `v_max` means Adam."""
    adam(
        weights,
        grads,
        m,
        v,
        v_max,
        [torch.full((), UPDATES, device=weights[0].device)] * len(weights),
        fused=True,
        lr=float(alpha) if alpha.device.type == "cpu" else alpha,  # read on its GPU: nothing waits for it
        beta1=beta_1,
        beta2=beta_2,
        weight_decay=0.0,
        eps=epsilon,
        amsgrad=bool(v_max),
        maximize=False,
    )


def kernel_betas(optimizer: RuleOptimizer) -> tuple[float, float] | None:
    """Return the betas as the numbers that the kernel takes, or None where it may not be used.

    Not while torch compiles, for there is nothing to fuse by hand; nor in a stateless scope, where new values go
    elsewhere; nor below 1/2, where its betas are less precise; nor with a schedule on a GPU, that would have to be
    waited for.
    """
    if optimizer.rule not in (rules.adam, rules.amsgrad) or torch.compiler.is_compiling():
        return None
    if keras_internals.in_stateless_scope():
        return None
    beta_1, beta_2 = known(optimizer, "beta_1"), known(optimizer, "beta_2")
    if beta_1 is None or beta_2 is None or min(beta_1, beta_2) < 0.5:
        return None
    return beta_1, beta_2


def known(optimizer: RuleOptimizer, name: str) -> float | None:
    """Return a beta, read from its device only after it was set; None for a schedule on a GPU."""
    beta = getattr(optimizer, f"_{name}")
    if callable(beta):
        return getattr(optimizer, name) if keras_internals.batches_seen(optimizer).value.device.type == "cpu" else None
    now = torch_internals.version(beta.value)
    seen, value = optimizer._known_betas.get(name, (None, 0.0))
    if seen != now:
        value = float(beta.value)
        optimizer._known_betas[name] = now, value
    return value


def can_fuse(tensors: list[Tensor], g: Tensor) -> bool:
    """Whether the kernel may be used on a weight and its slots: dense float32 on one device that it was written for."""
    return g.device.type in ("cpu", "cuda") and all(
        x.dtype == torch.float32 and x.device == g.device and x.shape == g.shape and x.is_contiguous() for x in tensors
    )


def dense(g: Tensor) -> Tensor:
    g = g if torch.is_tensor(g) else ops.convert_to_tensor(g, sparse=False)
    return g.to_dense() if g.is_sparse else g


@torch.no_grad()
def update_all(optimizer: RuleOptimizer, grads: list[Tensor], weights: list[Variable], numbers: Numbers) -> None:
    """Give the weights that can be to the kernel, all in one call, and update the others one by one."""
    betas, fused = kernel_betas(optimizer), []
    for g, weight in zip(grads, weights, strict=True):
        i = keras_internals.index(optimizer, weight)
        tensors = [each.value for each in (weight, *(of_all_weights[i] for of_all_weights in optimizer._slots))]
        if betas is not None and can_fuse(tensors, g):
            fused.append((i, g.clamp(-LARGEST, LARGEST).contiguous(), tensors))
        else:
            optimizer._update_by_rule(g, weight, numbers)
    for device in {g.device for _, g, _ in fused}:
        update_fused(optimizer, [each for each in fused if each[1].device == device], betas, numbers)


def update_fused(
    optimizer: RuleOptimizer,
    fused: list[tuple[int, Tensor, list[Tensor]]],
    betas: Any,
    numbers: Numbers,
) -> None:
    """Update weights, given as (number, gradient, [weight, slots]) of one device, by the kernel."""
    indices, grads, tensors = zip(*fused, strict=True)
    weights, *slots = (list(each) for each in zip(*tensors, strict=True))
    if numbers["decay"] is not None:
        for i, w in zip(indices, weights, strict=True):
            if optimizer._decays[i]:
                w.mul_(1 - numbers["decay"])
    v_max = slots[2] if len(slots) > 2 else []
    fused_adam(
        weights,
        list(grads),
        slots[0],
        slots[1],
        v_max,
        alpha=numbers["alpha"],
        beta_1=betas[0],
        beta_2=betas[1],
        epsilon=optimizer.epsilon,
    )
