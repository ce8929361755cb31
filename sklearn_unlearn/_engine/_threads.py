"""One thread where a second one would only get in the way, or change the bytes."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from contextlib import nullcontext
from functools import cache

from threadpoolctl import ThreadpoolController

__all__ = ["LARGE_PRODUCT", "threads_for"]

# Multiply-adds of one matrix product from which more threads are worth it. Below, one
# is faster, and the bytes do not depend on how many the machine has.
LARGE_PRODUCT = 1 << 25


@cache
def _openmp():
    return ThreadpoolController().select(user_api="openmp")


def threads_for(largest_product):
    """Context with one thread for small matrix products of torch.

    OpenMP's limit belongs to the calling thread, so that fits in other threads are
    not disturbed.

    Parameters
    ----------
    largest_product : int
        Multiply-adds of the largest product that will be computed.
    """
    if largest_product >= LARGE_PRODUCT:
        return nullcontext()
    return _openmp().limit(limits=1)
