from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from classpulse.errors import TrainingError
from classpulse.training.networks import build
from classpulse.training.networks.mobilenet import BLOCKS, ConvUnit, MobileNet, load_folded
from classpulse.training.recipe import make_recipe

WIDTHS = {"seed-cnn": (8, 8, 16, 16), "compact": (8, 8, 16, 16), "mobilenet": ()}


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(1)


def mobilenet(frozen_layers: int = 0) -> MobileNet:
    return MobileNet(("label", "people"), side_px=32, dropout=0.0, frozen_layers=frozen_layers)


@pytest.mark.parametrize("network", WIDTHS)
@pytest.mark.parametrize("side_px", [16, 33, 48])
@pytest.mark.parametrize("targets", ["label", "people", "label,people"])
def test_every_network_gives_seven_logits_for_each_target(network: str, side_px: int, targets: str) -> None:
    recipe = make_recipe(network, {"widths": WIDTHS[network], "side_px": side_px, "targets": targets})
    net = build(recipe).eval()
    with torch.no_grad():
        logits = net(torch.randn(2, 1, side_px, side_px))
    assert list(logits) == targets.split(",")
    assert {tuple(each.shape) for each in logits.values()} == {(2, 7)}
    assert all(bool(each.isfinite().all()) for each in logits.values())
    assert net.side_px == side_px


def test_heads_share_their_features() -> None:
    net = build(make_recipe("compact", {"widths": WIDTHS["compact"], "targets": "label,people", "side_px": 32})).eval()
    images = torch.randn(2, 1, 32, 32)
    with torch.no_grad():
        before = net(images)
        next(net.heads["label"].parameters()).zero_()
        after = net(images)
    assert torch.equal(before["people"], after["people"])
    assert not torch.equal(before["label"], after["label"])


def test_the_seed_network_has_four_convolutions_and_two_dense_layers_before_its_heads() -> None:
    net = build(make_recipe("seed-cnn", {"widths": (64, 128, 512, 512)}))
    kinds = [type(layer) for layer in net.features.children()]
    assert kinds.count(torch.nn.Conv2d) == 4
    assert kinds.count(torch.nn.Linear) == 2
    convolutions = 64 * 9 + 64 * 128 * 25 + 128 * 512 * 9 + 512 * 512 * 9
    dense = 512 * 3 * 3 * 256 + 256 * 512
    norms = 2 * (64 + 128 + 512 + 512 + 256 + 512)
    assert sum(p.numel() for p in net.parameters()) == convolutions + dense + norms + 512 * 7 + 7


def same_in_one_dimension(line: list[float], kernel: list[float], stride: int, before: int) -> list[float]:
    """TensorFlow's "same", by hand: zeros around, `before` of them in front."""
    outputs = -(-len(line) // stride)
    padded = [0.0] * before + line + [0.0] * len(kernel)
    return [sum(k * padded[i * stride + j] for j, k in enumerate(kernel)) for i in range(outputs)]


@pytest.mark.parametrize(
    ("size", "stride", "before"),
    # With a kernel of three and a stride of two, TensorFlow puts nothing in front of an even size, torch a zero.
    [(6, 1, 1), (7, 1, 1), (6, 2, 0), (7, 2, 1), (8, 2, 0), (9, 2, 1)],
)
def test_convolutions_are_padded_as_tensorflow_pads_them(size: int, stride: int, before: int) -> None:
    unit = ConvUnit(1, 1, 3, stride=stride)
    lines = np.random.default_rng(0).normal(size=(2, size))
    kernels = ([1.0, -2.0, 0.5], [0.25, 3.0, -1.0])
    # A kernel and a picture that are products of a column and a row: so is the result.
    picture = torch.from_numpy(np.outer(*lines)).float()
    unit.conv.weight.data = torch.outer(*(torch.tensor(kernel) for kernel in kernels))[None, None]
    down, across = (
        same_in_one_dimension(line.tolist(), kernel, stride, before)
        for line, kernel in zip(lines, kernels, strict=True)
    )
    wanted = torch.from_numpy(np.outer(down, across)).float()
    assert torch.allclose(unit.convolve(picture[None, None])[0, 0], wanted, atol=1e-5)


def test_a_mobilenet_has_the_paper_s_layers() -> None:
    net = mobilenet()
    assert len(net.units) == 27
    assert [unit.conv.out_channels for unit in net.units[2::2]] == [width for width, _ in BLOCKS]
    assert int(np.prod([unit.conv.stride[0] for unit in net.units])) == 32


def learn_once(net: MobileNet) -> None:
    net.train()
    logits = net(torch.randn(4, 1, 32, 32))
    functional.cross_entropy(logits["label"], torch.arange(4)).backward()  # type: ignore[no-untyped-call]
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.grad is not None:
                parameter.sub_(0.1 * parameter.grad)


def test_frozen_layers_neither_learn_nor_change_their_statistics() -> None:
    net = mobilenet(frozen_layers=3)
    before = [{name: value.clone() for name, value in unit.state_dict().items()} for unit in net.units]
    learn_once(net)
    for i, (unit, was) in enumerate(zip(net.units, before, strict=True)):
        changed = {name for name, value in unit.state_dict().items() if not torch.equal(value, was[name])}
        assert changed == (set() if i < 3 else set(was)), i


def folded_for(net: MobileNet) -> list[tuple[Tensor, Tensor]]:
    layers = []
    for unit in net.units:
        shape = unit.conv.weight.shape
        scale = (2 / shape[1:].numel()) ** 0.5
        layers.append((scale * torch.randn(shape), 0.2 * torch.randn(shape[0])))
    return layers


@torch.no_grad()
def folded_forward(net: MobileNet, folded: list[tuple[Tensor, Tensor]], images: Tensor) -> Tensor:
    for unit, (kernel, bias) in zip(net.units, folded, strict=True):
        unit.conv.weight.copy_(kernel)
        images = functional.relu6(unit.convolve(images) + bias[:, None, None])
    return images.mean(dim=(2, 3))


@torch.no_grad()
def test_putting_batch_norm_back_changes_nothing_at_first() -> None:
    net = mobilenet()
    folded = folded_for(net)
    load_folded(net, folded, torch.randn(16, 1, 32, 32))
    seen = torch.randn(3, 1, 32, 32)  # other pictures than those that set the statistics
    given = net.eval().features(seen)
    wanted = folded_forward(mobilenet(), folded, seen)
    assert wanted.std() > 0.01
    assert torch.allclose(given, wanted, atol=1e-3 * float(wanted.abs().max()))


@torch.no_grad()
def test_the_statistics_put_back_are_those_of_the_faces() -> None:
    net = mobilenet()
    faces = torch.randn(64, 1, 32, 32)
    load_folded(net, folded_for(net), faces)
    sums = net.units[0].convolve(faces)
    norm = net.units[0].norm
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert torch.allclose(norm.running_mean, sums.mean(dim=(0, 2, 3)), atol=1e-5)
    assert torch.allclose(norm.running_var, sums.var(dim=(0, 2, 3)), rtol=1e-4)


def test_weights_of_another_width_are_refused() -> None:
    net = mobilenet()
    folded = folded_for(net)
    folded[2] = (torch.zeros(32, 32, 1, 1), torch.zeros(32))
    with pytest.raises(TrainingError, match=r"layer 3 of the pre-trained MobileNet-v1 is \(32, 32, 1, 1\), not"):
        load_folded(net, folded, torch.randn(4, 1, 32, 32))
    folded[0] = (torch.zeros(1, 1, 3, 3), torch.zeros(1))  # what would be spread over all channels in silence
    with pytest.raises(TrainingError, match="layer 1"):
        load_folded(net, folded, torch.randn(4, 1, 32, 32))
