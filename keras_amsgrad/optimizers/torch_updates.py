"""torch: weights are updated in place, without a graph for gradients."""

import torch


class TorchUpdates:
    def _dense(self, g):
        g = super()._dense(g)
        return g.to_dense() if g.is_sparse else g

    @torch.no_grad()
    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        super()._backend_update_step(grads, trainable_variables, learning_rate)
