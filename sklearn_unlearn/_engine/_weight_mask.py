"""Training of some weights, with the others unchanged to the bit."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import torch

__all__ = ["WeightMask"]


class WeightMask:
    """Marks the weights that an optimizer may change.

    To zero the gradients of the others is not enough: weight decay and the moments of
    an optimizer change them too. So their gradients are zeroed *and* their values put
    back after each step, bit for bit.

    Parameters
    ----------
    selected : list of Tensor, dtype=bool
        One mask for each tensor of parameters; true where a weight may change.
    """

    def __init__(self, selected: list[torch.Tensor]) -> None:
        self.selected = selected

    @classmethod
    def from_scores(cls, scores: list[torch.Tensor], share: float) -> "WeightMask":
        """Select the weights with the largest scores.

        Parameters
        ----------
        scores : list of Tensor
            One score per weight, ranked over all tensors together.
        share : float
            Share of the weights that are selected, above 0; at least one is.
        """
        flat = torch.cat([score.flatten() for score in scores])
        n_selected = max(1, round(share * len(flat)))
        # a rank, not a threshold: of equal scores (zeros above all) not all may pass
        chosen = torch.zeros(len(flat), dtype=torch.bool, device=flat.device)
        order = torch.argsort(flat, descending=True, stable=True)
        chosen[order[:n_selected]] = True
        parts = chosen.split([score.numel() for score in scores])
        return cls(
            [part.view(score.shape) for part, score in zip(parts, scores, strict=True)]
        )

    @torch.no_grad()
    def step(
        self,
        optimizer: torch.optim.Optimizer,
        parameters: list[torch.Tensor],
        gradients: list[torch.Tensor],
    ) -> None:
        """Let an optimizer take a step that changes the selected weights alone."""
        values = [parameter.detach() for parameter in parameters]
        before = [value.clone() for value in values]
        for mask, gradient in zip(self.selected, gradients, strict=True):
            gradient.mul_(mask)  # so that no moment builds up
        optimizer.step()
        for mask, now, then in zip(self.selected, values, before, strict=True):
            torch.where(mask, now, then, out=now)
