"""The networks have the sizes and the parts that they should have."""

from __future__ import annotations

import pytest
import torch

from ftuseg_models.networks import architectures, normalisation
from ftuseg_models.training import losses


def test_sizes_are_those_of_the_plan():
    assert architectures.parameter_count(architectures.StandardUNet(1.0)) == 31_037_633
    assert architectures.parameter_count(architectures.efficientnet_unet()) == 6_251_469
    assert architectures.parameter_count(architectures.classifier()) < 2_500_000


@pytest.mark.parametrize(("name", "width", "shape"), [("unet", 0.0625, (2, 1, 64, 64)), ("router", 1.0, (2, 5))])
def test_output_shapes(name, width, shape):
    network = architectures.build(name, width).eval()
    with torch.no_grad():
        assert network(torch.zeros(2, 3, 64, 64)).shape == shape


def test_loss_is_small_when_right_and_large_when_wrong():
    truth = torch.zeros(2, 1, 8, 8)
    truth[:, :, 2:5, 2:5] = 1
    right, wrong = (truth - 0.5) * 40, (0.5 - truth) * 40
    assert losses.mask_loss(right, truth) < 0.01
    assert losses.mask_loss(wrong, truth) > 5
    empty = torch.zeros_like(truth)
    assert losses.soft_dice_loss(torch.full_like(truth, -40.0), empty) < 0.01
    assert losses.soft_dice_loss(right, empty) > 0.9


def test_the_lovasz_hinge_is_one_minus_iou_for_hard_masks():
    truth = torch.zeros(1, 1, 10, 10)
    truth[..., :5] = 1
    found = torch.zeros_like(truth)
    found[..., 2:7] = 1
    # logits of 1 and -1: a right px has no error, a wrong one has an error of 2
    loss = losses.lovasz_hinge(found * 2 - 1, truth)
    assert loss == pytest.approx(2 * (1 - 30 / 70), abs=1e-5)
    assert losses.lovasz_hinge((truth - 0.5) * 40, truth) == 0
    logits = torch.zeros(1, 1, 10, 10, requires_grad=True)
    losses.of_masks("ce+lovasz")(logits, truth).backward()
    assert (logits.grad[truth == 1] < 0).all() and torch.isfinite(logits.grad).all()


def test_dice_loss_equals_one_minus_dice_for_hard_masks():
    truth = torch.zeros(1, 1, 10, 10)
    truth[..., :5] = 1
    found = torch.zeros_like(truth)
    found[..., 2:7] = 1
    loss = losses.soft_dice_loss((found - 0.5) * 100, truth, smooth=0.0)
    assert loss == pytest.approx(1 - 2 * 30 / 100, abs=1e-4)


def test_normalise_centres_the_mean_colour():
    image = torch.tensor(normalisation.MEAN).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    assert normalisation.normalise(image).abs().max() < 1e-6


def test_the_dilated_bottleneck_sees_further_and_costs_no_resolution():
    torch.manual_seed(0)
    plain, dilated = architectures.StandardUNet(0.0625).eval(), architectures.StandardUNet(0.0625, dilated=True).eval()
    for network in (plain, dilated):
        for weight in network.parameters():
            weight.data.abs_()  # nothing cancels and no unit is dead
    image = torch.rand(1, 3, 256, 256, requires_grad=True)

    def reach(network):
        """How many columns of the image the middle px of the answer depends on."""
        answer = network(image)
        assert answer.shape == (1, 1, 256, 256)
        (gradient,) = torch.autograd.grad(answer[0, 0, 128, 128], image)
        columns = gradient.abs().sum(dim=(0, 1, 2)).nonzero()
        return int(columns.max() - columns.min())

    assert reach(dilated) > reach(plain) + 40
