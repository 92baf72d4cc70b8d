"""The private names of torch, where nothing public serves."""

import torch


def version(tensor: torch.Tensor) -> object:
    """Return a number that changes with every assignment to `tensor`, or a new object where there is none.

    Unlike the tensor's value, it can be read without waiting for a GPU.
    """
    try:
        return tensor._version
    except (AttributeError, RuntimeError):  # inference tensors keep no count
        return object()
