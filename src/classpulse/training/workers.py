"""One run on several processors or graphics cards: the same command under `torchrun`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import torch
from torch import distributed

from classpulse.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, nn


class Workers:
    """The processes of one run, each with its part of every batch.

    They start from the same weights, draw the same batches, and average their gradients, so that their weights stay the
    same. The first one, the leader, speaks and writes.

    Attributes:
        rank: this process's number, from 0.
        count: how many there are.
    """

    def __init__(self, rank: int = 0, count: int = 1) -> None:
        """Made by `join`; as it is, one process alone."""
        self.rank = rank
        self.count = count

    @classmethod
    def join(cls) -> Workers:
        """Find the others, if `torchrun` started this process, and take this process's own graphics card.

        Raises:
            TrainingError: they cannot be reached.
        """
        if int(os.environ.get("WORLD_SIZE", "1")) < 2:
            return cls()
        cards = torch.cuda.is_available()
        if cards:
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        try:
            distributed.init_process_group("nccl" if cards else "gloo")
        except (RuntimeError, ValueError) as error:
            message = f"the processes of this run do not find each other: {str(error).splitlines()[0]}"
            raise TrainingError(message) from None
        return cls(distributed.get_rank(), distributed.get_world_size())

    @property
    def leads(self) -> bool:
        """Whether this is the one that speaks and writes."""
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """This process's part of a batch, (N,) to about (N / count,).

        Raises:
            TrainingError: there is none for some process.
        """
        if len(batch) < self.count:
            message = (
                f"a batch of {len(batch)} faces cannot be shared by {self.count} processes: --set batch={self.count}"
            )
            raise TrainingError(message)
        return batch[self.rank :: self.count]

    def average(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over all processes, in one exchange."""
        if self.count == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.count
        at = 0
        for gradient in gradients:
            gradient.copy_(flat[at : at + gradient.numel()].view_as(gradient))
            at += gradient.numel()

    def wait(self) -> None:
        """Go on only when all have come here."""
        if self.count > 1:
            distributed.barrier()

    def leave(self) -> None:
        """End the exchange."""
        if self.count > 1:
            distributed.destroy_process_group()
