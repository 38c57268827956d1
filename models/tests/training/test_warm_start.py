"""Networks that are taken back from a bundle's files compute what the files compute, and figures go with them."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
import torch
from awake import awake
from torch import nn

from ftuseg_models import config
from ftuseg_models.atomic_files import write_json
from ftuseg_models.errors import DataError
from ftuseg_models.measuring import calibration, figures, report, tables
from ftuseg_models.networks import architectures, normalisation
from ftuseg_models.onnx_graphs import conversion
from ftuseg_models.training import checkpoints, previous_bundle, warm_start


def stored(network: nn.Module, path) -> None:
    conversion.write(conversion.to_onnx(conversion.as_stored(network, 64), 64), path, halves=True)


def crops(count: int = 3) -> list[torch.Tensor]:
    return [normalisation.normalise(torch.rand(2, 3, 64, 64)) for _ in range(count)]


@pytest.mark.parametrize(("name", "width"), [("unet", 0.125), ("baseline", 1.0)])
def test_a_warm_started_network_says_what_the_file_says(name, width, tmp_path):
    network = awake(architectures.build(name, width))
    stored(network, tmp_path / "model.onnx")
    images = crops()
    found = warm_start.from_onnx(architectures.build(name, width), tmp_path / "model.onnx", images)
    with torch.no_grad():
        expected = conversion.as_stored(network, 64)(images[0])
        assert torch.allclose(found.eval()(images[0]), expected, atol=1e-3)


def test_a_warm_started_networks_statistics_are_those_of_its_crops(tmp_path):
    network = awake(architectures.build("unet", 0.125))
    stored(network, tmp_path / "model.onnx")
    images = crops(1)
    found = warm_start.from_onnx(architectures.build("unet", 0.125), tmp_path / "model.onnx", images)
    with torch.no_grad():
        still = found.eval()(images[0])
        # with the batch's own statistics it says the same, or a first step of training would destroy what was learned
        assert torch.allclose(found.train()(images[0]), still, atol=1e-2)


def test_a_file_of_another_network_is_refused(tmp_path):
    stored(awake(architectures.build("unet", 0.125)), tmp_path / "model.onnx")
    for other in (architectures.build("unet", 0.25), architectures.build("baseline"), architectures.build("unet", 0.125, dilated=True)):
        with pytest.raises(DataError, match="model.onnx"):
            warm_start.from_onnx(other, tmp_path / "model.onnx", crops(1))


def test_what_is_no_onnx_file_is_refused_with_its_name(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"no network")
    with pytest.raises(DataError, match="model.onnx"):
        warm_start.stored_weights(tmp_path / "model.onnx")
    with pytest.raises(FileNotFoundError, match="gone.onnx"):
        warm_start.stored_weights(tmp_path / "gone.onnx")


def test_an_int8_file_is_refused(tmp_path):
    stored(awake(architectures.build("unet", 0.125)), tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    for tensor in list(model.graph.initializer):
        if tensor.name.endswith(".weight.small"):
            model.graph.initializer.remove(tensor)
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(DataError, match="fp32"):
        warm_start.stored_weights(tmp_path / "model.onnx")


def test_a_checkpoint_of_a_warm_started_network_keeps_nothing_out(tmp_path):
    network = architectures.build("unet", 0.125)
    warm_start.write_checkpoint(network, tmp_path / "new" / "unet.pt")
    assert checkpoints.kept_out(tmp_path / "new" / "unet.pt") == set()
    again = checkpoints.load_average(tmp_path / "new" / "unet.pt", architectures.build("unet", 0.125))
    for one, other in zip(network.state_dict().values(), again.state_dict().values()):
        assert np.array_equal(one.numpy(), other.numpy())


def test_what_a_bundle_states_goes_with_its_files(config_file, tmp_path, capsys):
    old = tmp_path / "old"
    stated = {
        "models": {"kidney": [{"mean": 0.7, "n": 4, "organ": "kidney", "set": "held-out cores"}]},
        "int8": {"kidney": {"dice": 0.001, "n": 4, "set": "held-out cores"}},
        "router": {"value": 0.9, "n": 10, "set": "held-out cores"},
    }
    write_json(old / "metrics.json", stated | {"cores": {"1": {"kidney": 0.9}}, "cores_about": "seen cores"})
    model = (
        '[[model]]\nname = "{}"\nfile = "{}.onnx"\nrole = "{}"\n{}threshold = 0.3\nmin_area = 20\nmpp = 4.0\nfill_holes = true\n'
        'dice = [{{ mean = 0.3, n = 4, organ = "lung", set = "held-out cores" }}]\n'
    )
    (old / "bundle.toml").write_text(
        model.format("lung", "lung", "organ", 'organ = "lung"\n')
        + model.format("lung-baseline", "baseline", "organ", 'organ = "lung"\n')
        + model.format("baseline", "baseline", "baseline", "")
    )
    stated |= {"serving": {"lung": {"by": "lung+baseline", "dice": [{"mean": 0.3, "n": 4, "organ": "lung", "set": "held-out cores"}]}}}
    plain = config.load(config_file).to_ship()
    assert figures.figures(plain) == {} and not any(previous_bundle.choices(plain).values())
    config_file.write_text(f'finish_from = "{old}"\n' + config_file.read_text())
    further = config.load(config_file).to_ship()
    told = figures.figures(further)
    assert told["models"]["kidney"][0]["set"] == "held-out cores" + previous_bundle.OTHER_FILES
    assert json.loads(json.dumps(told).replace(previous_bundle.OTHER_FILES, "")) == stated
    chosen = {"threshold": 0.3, "min_area_um2": 320.0, "fill_holes": True}
    calibrated = calibration.run(further)
    assert calibrated["networks"] == {"baseline": chosen | {"n": 4}}
    assert calibrated["serving"] == {"lung": chosen | {"by": "lung+baseline"}}
    assert str(old) in capsys.readouterr().out


def test_a_report_that_stays_has_the_sizes_of_the_files_that_are_there(tmp_path):
    for name, size in (("kidney", 1_500_000), ("lung", 500_000)):
        (tmp_path / f"{name}.onnx").write_bytes(bytes(size))
    page = f"# Title\n\n## Sizes\n\n{tables.sizes(tmp_path)}\n## int8\n\nOf int8.\n"
    assert report.with_sizes(page, tmp_path) == page
    (tmp_path / "spleen.onnx").write_bytes(bytes(250_000))
    renewed = report.with_sizes(page, tmp_path)
    assert "| spleen.onnx | 0.2 |" in renewed and "| all files of the bundle | 2.2 |" in renewed
    assert renewed.startswith("# Title\n\n## Sizes\n\n| file | MB |") and renewed.endswith("\n## int8\n\nOf int8.\n")
