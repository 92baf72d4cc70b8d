"""torch: weights are updated in place, without a graph for gradients, and all at once where there is a kernel."""

import keras
import torch
from keras.src.backend import in_stateless_scope

from keras_amsgrad import rules
from keras_amsgrad.optimizers.settings import Variable
from keras_amsgrad.rules import Tensor

# torch's kernel corrects both moments from the number of the update. So many updates make its corrections 1: our step
# size already carries its own.
UPDATES = 1e9


def fused_adam(
    weights: list[Tensor],
    grads: list[Tensor],
    m: list[Tensor],
    v: list[Tensor],
    v_max: list[Tensor],
    *,
    alpha: Tensor,
    beta_1: Tensor,
    beta_2: Tensor,
    epsilon: Tensor,
) -> None:
    """Update all weights and slots in one pass over memory; an empty `v_max` means Adam."""
    torch._fused_adam_(
        weights,
        grads,
        m,
        v,
        v_max,
        [torch.tensor(UPDATES, device=weights[0].device)] * len(weights),
        lr=float(alpha),
        beta1=float(beta_1),
        beta2=float(beta_2),
        weight_decay=0.0,
        eps=float(epsilon),
        amsgrad=bool(v_max),
        maximize=False,
    )


def can_fuse(tensors: list[Tensor], g: Tensor) -> bool:
    """Whether the kernel may be used on a weight and its slots: dense float32 on one device that it was written for."""
    return g.device.type in ("cpu", "cuda") and all(
        x.dtype == torch.float32 and x.device == g.device and x.shape == g.shape and x.is_contiguous() for x in tensors
    )


class TorchUpdates(keras.optimizers.Optimizer):
    def _dense(self, g: Tensor) -> Tensor:
        g = super()._dense(g)
        return g.to_dense() if g.is_sparse else g

    @torch.no_grad()
    def _update_all(self, grads: list[Tensor], variables: list[Variable], settings: dict[str, Tensor]) -> None:
        """Give the weights that can be to the kernel, all in one call, and update the others one by one."""
        fused, single = [], []
        for g, variable in zip(grads, variables, strict=True):
            i = self._get_variable_index(variable)
            tensors = [each.value for each in (variable, *(of_all_weights[i] for of_all_weights in self._slots))]
            if self.rule in (rules.adam, rules.amsgrad) and not in_stateless_scope() and can_fuse(tensors, g):
                fused.append((i, g.contiguous(), tensors))
            else:
                single.append((g, variable))
        for device in {g.device for _, g, _ in fused}:
            self._update_fused([each for each in fused if each[1].device == device], **settings)
        super()._update_all([g for g, _ in single], [variable for _, variable in single], settings)

    def _update_fused(
        self, fused: list[tuple[int, Tensor, list[Tensor]]], *, decay: Tensor | None, **numbers: Tensor
    ) -> None:
        indices, grads, tensors = zip(*fused, strict=True)
        weights, *slots = (list(each) for each in zip(*tensors, strict=True))
        if decay is not None:
            decayed = [w for i, w in zip(indices, weights, strict=True) if self._decays[i]]
            torch._foreach_mul_(decayed, 1 - float(decay))
        fused_adam(weights, list(grads), *slots, *([[]] * (3 - len(slots))), **numbers)
