"""Which weights may move, and how the others are kept where they are."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import torch

__all__ = ["WeightMask"]


class WeightMask:
    """Marks the weights that may move.

    To zero the gradients of the others is not enough: weight decay and the moments of
    an optimizer move them too. So their gradients are zeroed *and* their values put
    back after each step, bit for bit.

    Parameters
    ----------
    moving : list of Tensor, dtype=bool
        One mask for each tensor of parameters; true where a weight may move.
    """

    def __init__(self, moving: list[torch.Tensor]) -> None:
        self.moving = moving

    @classmethod
    def from_scores(cls, scores: list[torch.Tensor], share: float) -> "WeightMask":
        """Let the weights with the largest scores move.

        Parameters
        ----------
        scores : list of Tensor
            One score per weight, ranked over all tensors together.
        share : float
            Share of the weights that move, above 0; at least one does.
        """
        flat = torch.cat([score.flatten() for score in scores])
        n_moving = max(1, round(share * len(flat)))
        # a rank, not a threshold: equal scores (zeros above all) must not all pass
        chosen = torch.zeros(len(flat), dtype=torch.bool, device=flat.device)
        order = torch.argsort(flat, descending=True, stable=True)
        chosen[order[:n_moving]] = True
        parts = chosen.split([score.numel() for score in scores])
        return cls(
            [part.view(score.shape) for part, score in zip(parts, scores, strict=True)]
        )

    def hide(self, gradients: list[torch.Tensor]) -> None:
        """Zero the gradients of the weights that stay, so that no moment builds up."""
        for moving, gradient in zip(self.moving, gradients, strict=True):
            gradient.mul_(moving)

    def restore(
        self, parameters: list[torch.Tensor], before: list[torch.Tensor]
    ) -> None:
        """Put the weights that stay back to what they were before a step."""
        for moving, now, then in zip(self.moving, parameters, before, strict=True):
            torch.where(moving, now, then, out=now)
