"""Scores of many user-item pairs without a large tensor of pairs.

A step looks at tens or hundreds of thousands of pairs. Gathering a vector for each of them costs
up to hundreds of megabytes, which are slower to allocate than to compute with. These functions
gather a few users' pairs at a time, which stay in the cache, and gather again in the backward
pass. First derivatives only: the mask stage has its second derivatives in closed form.
"""

from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import embedding_bag

NUMBERS_AT_A_TIME = 1 << 18
"""Gathered numbers in a chunk: one megabyte of float32."""

NUMBERS_ON_DEVICE = 1 << 27
"""The same on other devices than the CPU, where only memory limits a chunk: half a gigabyte."""


def _chunks(position: Tensor, width: int) -> Iterator[slice]:
    """Cut the users into runs whose gathered pairs fit the cache."""
    numbers = NUMBERS_AT_A_TIME if position.device.type == "cpu" else NUMBERS_ON_DEVICE
    step = max(1, numbers // max(1, position.shape[1] * width))
    for start in range(0, len(position), step):
        yield slice(start, start + step)


class _PairScores(torch.autograd.Function):
    """`out[b, n, r] = <users[b], items[position[b, n], r]>`."""

    @staticmethod
    def forward(ctx: Any, items: Tensor, users: Tensor, position: Tensor) -> Tensor:
        ctx.save_for_backward(items, users, position)
        n_columns, n_parts = position.shape[1], items.shape[1]
        out = users.new_empty(len(users), n_columns * n_parts)
        for rows in _chunks(position, items[0].numel()):
            vectors = _gather(items, position[rows])
            # This way round the product is many times faster than vectors @ users.
            out[rows] = torch.bmm(users[rows].unsqueeze(1), vectors.transpose(1, 2)).squeeze(1)
        return out.view(-1, n_columns, n_parts)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        items, users, position = ctx.saved_tensors
        n_parts, size = items.shape[1:]
        for_items, for_users, _ = ctx.needs_input_grad
        to_items = torch.zeros_like(items) if for_items else None
        to_users = torch.empty_like(users) if for_users else None
        for rows in _chunks(position, n_parts * size):
            slope = grad[rows].flatten(1)
            if to_users is not None:
                vectors = _gather(items, position[rows])
                to_users[rows] = torch.bmm(slope.unsqueeze(1), vectors).squeeze(1)
            if to_items is not None:
                outer = slope.unsqueeze(-1) * users[rows].unsqueeze(1)
                to_items.index_add_(0, position[rows].flatten(), outer.view(-1, n_parts, size))
        return to_items, to_users, None


def _gather(items: Tensor, position: Tensor) -> Tensor:
    """Vectors of some users' pairs, `(rows, n * parts, size)`."""
    gathered = items.flatten(1).index_select(0, position.flatten())
    return gathered.view(len(position), position.shape[1] * items.shape[1], items.shape[2])


class _FixedScores(torch.autograd.Function):
    """`out[b, n, r] = <users[b, r], items[position[b, n]]>`, the items fixed."""

    @staticmethod
    def forward(ctx: Any, users: Tensor, items: Tensor, position: Tensor) -> Tensor:
        ctx.save_for_backward(items, position)
        return _fixed_scores(users, items, position)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return _fixed_sums(grad, *ctx.saved_tensors), None, None


class _FixedSums(torch.autograd.Function):
    """`out[b, r] = sum_n weights[b, n, r] items[position[b, n]]`, the items fixed."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, items: Tensor, position: Tensor) -> Tensor:
        ctx.save_for_backward(items, position)
        return _fixed_sums(weights, items, position)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return _fixed_scores(grad, *ctx.saved_tensors), None, None


def _fixed_scores(users: Tensor, items: Tensor, position: Tensor) -> Tensor:
    out = users.new_empty(len(users), users.shape[1], position.shape[1])
    for rows in _chunks(position, items.shape[1]):
        vectors = _gather(items.unsqueeze(1), position[rows])
        out[rows] = torch.bmm(users[rows], vectors.transpose(1, 2))
    return out.transpose(1, 2)


def _fixed_sums(weights: Tensor, items: Tensor, position: Tensor) -> Tensor:
    # a gather for each part, and still half the time of one gather and a product
    sums = [
        embedding_bag(position, items, per_sample_weights=part.contiguous(), mode="sum")
        for part in weights.unbind(-1)
    ]
    return torch.stack(sums, dim=1)


class _PairHidden(torch.autograd.Function):
    """`out[b, n, k] = <head[k], relu(users[b, k] + items[position[b, n], k])>`."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any,
        users: Tensor,
        items: Tensor,
        position: Tensor,
        head: Tensor,
    ) -> Tensor:
        ctx.save_for_backward(users, items, position, head)
        n_heads, hidden = head.shape
        out = users.new_empty(*position.shape, n_heads)
        for rows in _chunks(position, n_heads * hidden):
            active = _active(users, items, position, rows)
            for k in range(n_heads):
                part = active[..., k * hidden : (k + 1) * hidden]
                out[rows, :, k] = part @ head[k]
        return out

    @staticmethod
    @once_differentiable
    def backward(  # type: ignore[override]
        ctx: Any,
        grad: Tensor,
    ) -> tuple[Tensor, Tensor, None, Tensor]:
        users, items, position, head = ctx.saved_tensors
        n_heads, hidden = head.shape
        to_users, to_items = torch.empty_like(users), torch.zeros_like(items)
        to_head = torch.zeros_like(head)
        for rows in _chunks(position, n_heads * hidden):
            active = _active(users, items, position, rows)
            flat = active.view(-1, n_heads, hidden)
            slope = grad[rows].reshape(-1, n_heads)
            for k in range(n_heads):
                to_head[k] += slope[:, k] @ flat[:, k]
            back = (slope.unsqueeze(-1) * head).view(-1, n_heads * hidden)
            back = torch.ops.aten.threshold_backward(back, active.view_as(back), 0)
            to_users[rows] = back.view_as(active).sum(dim=1)
            to_items.index_add_(0, position[rows].reshape(-1), back)
        return to_users, to_items, None, to_head


def _active(users: Tensor, items: Tensor, position: Tensor, rows: slice) -> Tensor:
    """Hidden activations of a few users' pairs, `(rows, n, heads * hidden)`."""
    gathered = items.index_select(0, position[rows].reshape(-1))
    gathered = gathered.view(-1, position.shape[1], items.shape[1])
    return gathered.add_(users[rows].unsqueeze(1)).relu_()


def pair_scores(users: Tensor, items: Tensor, position: Tensor) -> Tensor:
    """Inner products of users with several vectors of each of their items.

    Args:
        users: `(batch, size)`.
        items: `(n_different, parts, size)`.
        position: row of `items` of each pair, `(batch, n)`.

    Returns:
        `(batch, n, parts)`.
    """
    return cast(Tensor, _PairScores.apply(items, users, position))


def fixed_scores(users: Tensor, items: Tensor, position: Tensor) -> Tensor:
    """Inner products of several vectors of each user with their items, which get no gradient.

    Args:
        users: `(batch, parts, size)`.
        items: `(n_different, size)`.
        position: row of `items` of each pair, `(batch, n)`.

    Returns:
        `(batch, n, parts)`.
    """
    return cast(Tensor, _FixedScores.apply(users, items, position))


def fixed_sums(weights: Tensor, items: Tensor, position: Tensor) -> Tensor:
    """Weighted sums of each user's items, which get no gradient.

    Args:
        weights: of each pair `(batch, n, parts)`.
        items: `(n_different, size)`.
        position: row of `items` of each pair, `(batch, n)`.

    Returns:
        `(batch, parts, size)`.
    """
    return cast(Tensor, _FixedSums.apply(weights, items, position))


def pair_hidden(users: Tensor, items: Tensor, position: Tensor, head: Tensor) -> Tensor:
    """One hidden ReLU layer on pairs, its input split into a user and an item part.

    Args:
        users: user part of the pre-activations `(batch, heads * hidden)`, bias included.
        items: item part `(n_different, heads * hidden)`.
        position: row of `items` of each pair, `(batch, n)`.
        head: output weights of each head `(heads, hidden)`.

    Returns:
        `(batch, n, heads)`, before the output bias.
    """
    return cast(Tensor, _PairHidden.apply(users, items, position, head))
