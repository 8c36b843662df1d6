from __future__ import annotations

import pytest
import torch

from clustlab.networks import Discriminator


@pytest.mark.parametrize("widths", [(7,), (7, 5), ()])
def test_a_discriminator_gives_each_code_one_logit(widths: tuple[int, ...]) -> None:
    assert Discriminator(3, widths)(torch.randn(6, 3)).shape == (6,)


def test_what_it_says_of_a_code_does_not_depend_on_the_others() -> None:
    discriminator, z = Discriminator(3).train(), torch.randn(6, 3)
    torch.testing.assert_close(discriminator(z)[:2], discriminator(z[:2]))
