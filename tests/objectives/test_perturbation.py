from __future__ import annotations

import torch
from torch import Tensor

from clustlab.networks.classifier import Classifier, batch_statistics
from clustlab.objectives.information import divergence
from clustlab.objectives.perturbation import adversarial_directions, random_directions, stretched


def smooth(width: int) -> torch.nn.Sequential:
    torch.manual_seed(0)
    layers = [torch.nn.Linear(width, 7), torch.nn.Tanh(), torch.nn.Linear(7, 3), torch.nn.Softmax(dim=1)]
    return torch.nn.Sequential(*layers).double()


def test_a_perturbation_is_as_long_as_its_radius() -> None:
    torch.manual_seed(0)
    x, radius = torch.randn(20, 4, 4), torch.rand(20) + 0.1
    network = Classifier((4, 4), (8,), 3).eval()  # almost uniform, so that gradients are tiny
    with torch.no_grad():
        p = network(x)
    start = random_directions(x)
    found = adversarial_directions(network, x, p, start, probe_length=1.0, iterations=2)
    for direction in found:
        torch.testing.assert_close(stretched(direction, radius).flatten(1).norm(dim=1), radius)


def test_random_directions_favour_none() -> None:
    found = random_directions(torch.zeros(20_000, 3), torch.Generator().manual_seed(0))
    torch.testing.assert_close(found.mean(dim=0), torch.zeros(3), atol=0.02, rtol=0)
    torch.testing.assert_close(found.T @ found / 20_000, torch.eye(3) / 3, atol=0.02, rtol=0)


def test_the_power_iteration_finds_the_most_sensitive_direction() -> None:
    """The dominant eigenvector of the Hessian of KL(p(x)‖p(x + r)) at r = 0."""
    network = smooth(5)
    x = torch.randn(6, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    p = network(x).detach()
    start = random_directions(x, torch.Generator().manual_seed(2))
    found = adversarial_directions(network, x, p, start, probe_length=1e-3, iterations=60)[-1]
    for row in range(len(x)):

        def cost(r: Tensor, row: int = row) -> Tensor:
            return divergence(p[row : row + 1], network(x[row : row + 1] + r)).sum()

        hessian = torch.autograd.functional.hessian(cost, torch.zeros(5, dtype=torch.float64))
        dominant = torch.linalg.eigh(hessian).eigenvectors[:, -1]
        assert (dominant @ found[row]).abs() > 0.99
        assert (dominant @ start[row]).abs() < 0.95


def test_looking_for_a_direction_leaves_no_gradient_and_no_trace_in_the_network() -> None:
    torch.manual_seed(0)
    x = torch.randn(20, 6)
    network = Classifier((6,), (8, 8), 3).train()
    p = network(x).detach()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with batch_statistics(network):
        found = adversarial_directions(network, x, p, random_directions(x), probe_length=1.0, iterations=1)[-1]
    assert not found.requires_grad
    assert all(parameter.grad is None for parameter in network.parameters())
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_where_nothing_is_sensitive_the_direction_stays() -> None:
    x, start = torch.randn(4, 3), random_directions(torch.zeros(4, 3))

    def constant(x: Tensor) -> Tensor:
        return torch.softmax(0 * x, dim=1)

    found = adversarial_directions(constant, x, constant(x), start, probe_length=1.0, iterations=1)
    assert torch.equal(found[-1], start)
