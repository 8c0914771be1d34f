"""How the terms of an objective are put together, by the option `adaptive_weights`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from recbole_invariant.objective.pareto import min_norm_weights
from recbole_invariant.objective.term_weights import uncertainty_factors, uncertainty_loss

NONE, UNCERTAINTY, MIN_NORM = "none", "uncertainty", "min_norm"


class TermWeighing(nn.Module, ABC):
    """Computes the gradient of an objective from its terms.

    Args:
        weights: fixed weight of each term.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        super().__init__()
        self.weights = dict(weights)

    def weighted(self, terms: Mapping[str, Tensor]) -> Tensor:
        """Return the terms times their fixed weights, `(n_terms,)`."""
        return torch.stack([self.weights[name] * term for name, term in terms.items()])

    @abstractmethod
    def backward(
        self, terms: Mapping[str, Tensor], parameters: Sequence[nn.Parameter]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Put the gradient of the objective into `parameters`, which have none so far.

        Args:
            terms: unweighted, 0-d each.
            parameters: what learns.

        Returns:
            The objective, detached; and each term's factor beyond its weight where it is not 1.
        """


class FixedWeights(TermWeighing):
    """The sum of the weighted terms."""

    def backward(
        self, terms: Mapping[str, Tensor], parameters: Sequence[nn.Parameter]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Run one backward pass."""
        loss = self.weighted(terms).sum()
        loss.backward()
        return loss.detach(), {}


class UncertaintyWeights(TermWeighing):
    """Factors that are learned beside the model by the terms' uncertainty (Kendall et al., 2018).

    Each weighted term must be >= 0.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        super().__init__(weights)
        self.log_variances = nn.Parameter(torch.zeros(len(weights)))

    def backward(
        self, terms: Mapping[str, Tensor], parameters: Sequence[nn.Parameter]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Run one backward pass through the terms and the factors."""
        loss = uncertainty_loss(self.weighted(terms), self.log_variances)
        loss.backward()
        factors = uncertainty_factors(self.log_variances).detach()
        return loss.detach(), dict(zip(terms, factors, strict=True))


class MinNormWeights(TermWeighing):
    """Factors of the shortest convex combination of the terms' gradients (Sener & Koltun, 2018).

    A step against it lowers every weighted term, or none can be lowered without raising another.
    As many backward passes as terms.
    """

    def backward(
        self, terms: Mapping[str, Tensor], parameters: Sequence[nn.Parameter]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Run a backward pass a term and combine them."""
        weighted, learned = self.weighted(terms), list(parameters)
        gradients = torch.stack([_gradient(term, learned) for term in weighted])
        factors = min_norm_weights(gradients).to(gradients.dtype)
        combined = factors @ gradients
        sizes = [parameter.numel() for parameter in learned]
        for parameter, part in zip(learned, combined.split(sizes), strict=True):
            parameter.grad = part.view_as(parameter)
        loss = (factors * weighted.detach()).sum()
        return loss, dict(zip(terms, factors, strict=True))


def build_weighing(kind: str, weights: Mapping[str, float]) -> TermWeighing:
    """Make the weighing that the option `adaptive_weights` names."""
    makers: dict[str, type[TermWeighing]] = {
        NONE: FixedWeights,
        UNCERTAINTY: UncertaintyWeights,
        MIN_NORM: MinNormWeights,
    }
    return makers[kind](weights)


def _gradient(term: Tensor, parameters: Sequence[nn.Parameter]) -> Tensor:
    """Return the gradient of a term in all parameters, one after the other; zeros where unused."""
    gradients = torch.autograd.grad(term, parameters, retain_graph=True, materialize_grads=True)
    return torch.cat([gradient.reshape(-1) for gradient in gradients])
