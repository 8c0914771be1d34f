"""The subsequence extractors of IDEA: K small networks that weigh the positions of a sequence."""

import torch
from torch import Tensor, nn


class SubsequenceExtractors(nn.Module):
    """K networks `Linear(length, hidden) - ReLU - Linear(hidden, length)`, computed as one.

    Args:
        n_extractors: K.
        length: positions of a sequence.
        hidden: width of the hidden layer.
        generator: CPU generator for the initial values. Those are `nn.Linear`'s, uniform in
            +-1/sqrt(inputs), drawn in the order in which K separate networks would draw them.
    """

    def __init__(
        self, n_extractors: int, length: int, hidden: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.n_extractors = n_extractors
        self.hidden_weight = nn.Parameter(torch.empty(n_extractors, hidden, length))
        self.hidden_bias = nn.Parameter(torch.empty(n_extractors, hidden))
        self.gate_weight = nn.Parameter(torch.empty(n_extractors, length, hidden))
        self.gate_bias = nn.Parameter(torch.empty(n_extractors, length))
        self._draw(generator)

    @torch.no_grad()
    def _draw(self, generator: torch.Generator) -> None:
        layers = ((self.hidden_weight, self.hidden_bias), (self.gate_weight, self.gate_bias))
        for k in range(len(self.hidden_weight)):
            for weight, bias in layers:
                bound = weight.shape[-1] ** -0.5
                weight[k].uniform_(-bound, bound, generator=generator)
                bias[k].uniform_(-bound, bound, generator=generator)

    def forward(self, descriptor: Tensor) -> Tensor:
        """Give every position a logit from each extractor.

        Args:
            descriptor: a number a position `(batch, length)`.

        Returns:
            `(n_extractors, batch, length)`; a sigmoid of it is the chance that a position is kept.
        """
        stacked = nn.functional.linear(
            descriptor, self.hidden_weight.flatten(0, 1), self.hidden_bias.flatten()
        )
        active = stacked.relu().view(len(descriptor), self.n_extractors, -1).transpose(0, 1)
        return torch.baddbmm(self.gate_bias.unsqueeze(1), active, self.gate_weight.transpose(1, 2))
