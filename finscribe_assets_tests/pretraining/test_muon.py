import pytest
import torch
from torch import nn

from finscribe_assets.pretraining.muon import Muon, orthogonalise


@pytest.mark.parametrize("shape", [(3, 40, 40), (2, 24, 60), (2, 60, 24)])
def test_singular_values_come_near_one(shape):
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    values = torch.linalg.svdvals(orthogonalise(matrices, 10))
    assert values.min() > 0.6
    assert values.max() < 1.3


def test_it_steps_as_torchs_own_does_but_for_its_rounding():
    generator = torch.Generator().manual_seed(2)
    start = [torch.randn(shape, generator=generator) for shape in ((32, 32), (48, 20), (20, 48), (32, 32))]
    ours, theirs = ([nn.Parameter(weight.clone()) for weight in start] for _ in range(2))
    steps = (
        Muon(ours, lr=0.02, weight_decay=0.1),
        torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw", ns_steps=4),
    )
    for _ in range(3):
        for mine, other in zip(ours, theirs, strict=True):
            mine.grad = torch.randn(mine.shape, generator=generator)
            other.grad = mine.grad.clone()
        for step in steps:
            step.step()
    for mine, other, weight in zip(ours, theirs, start, strict=True):
        moved = (mine - weight).norm()
        assert (mine - other).norm() < 0.03 * moved


def test_what_is_no_matrix_is_refused():
    with pytest.raises(ValueError, match="for matrices"):
        Muon([nn.Parameter(torch.zeros(3))], lr=0.1)
