"""Trains the router's last layer on the baseline's encoder features of many crops."""

from __future__ import annotations

import time

import numpy as np
import torch
import torch.nn.functional as F

from ..data.pictures import Picture
from ..data.random_crops import OrganBatches
from ..data.tiles import cell_tiles
from ..networks import other_tissue
from ..networks.architectures import TrunkClassifier
from ..networks.normalisation import normalise
from . import checkpoints, loop, run_log
from .metrics import temperature


def solve(
    features: torch.Tensor, organ: torch.Tensor, organs: int, decay: float = 1e-2
) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias of the linear layer that minimises the cross-entropy, with equal weight per organ.

    `decay` regularises the weights of the standardised features, since crops of one core resemble each other.
    """
    mean, spread = features.mean(dim=0), features.std(dim=0) + 1e-6
    standard = (features - mean) / spread
    share = torch.bincount(organ, minlength=organs).float().clamp(min=1)
    importance = share.sum() / (organs * share)
    weight = torch.zeros(organs, features.shape[1], requires_grad=True)
    bias = torch.zeros(organs, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = F.cross_entropy(F.linear(standard, weight, bias), organ, weight=importance)
        loss = loss + decay * (weight * weight).sum() / 2
        loss.backward()
        return loss

    optimiser.step(closure)
    with torch.no_grad():
        gain = weight / spread
        return gain, bias - gain @ mean


def out_of_fold(
    features: torch.Tensor, organ: torch.Tensor, picture: torch.Tensor, organs: int, decay: float, folds: int = 5
) -> torch.Tensor:
    """Logits of every crop from a layer that has seen no crop of the same picture."""
    logits = torch.zeros(len(organ), organs)
    for fold in range(folds):
        out = picture % folds == fold
        if out.any() and (~out).any():
            weight, bias = solve(features[~out], organ[~out], organs, decay)
            logits[out] = F.linear(features[out], weight, bias)
    return logits


def cross_validate(
    features: torch.Tensor, organ: torch.Tensor, picture: torch.Tensor, asked: torch.Tensor, organs: int
) -> tuple[float, float]:
    """The best `decay` and the accuracy on the `asked` crops with it.

    `asked` marks the crops that count: those of target cores.
    """
    best = (float("inf"), 0.0, 0.0)
    for decay in (0.001, 0.003, 0.01, 0.03, 0.1):
        logits = out_of_fold(features, organ, picture, organs, decay)[asked]
        loss = float(F.cross_entropy(logits / temperature(logits, organ[asked]), organ[asked]))
        if loss < best[0]:
            best = (loss, decay, float((logits.argmax(dim=1) == organ[asked]).float().mean()))
    return best[1], best[2]


def vote_calibration(logits: torch.Tensor, organ: torch.Tensor, picture: torch.Tensor) -> dict:
    """The temperature at which the mean probability over a picture's crops is best calibrated.

    Not that of single crops: the engine decides on a piece of tissue by the mean over its cells, which is more reliable
    than any one of them. Also how many pictures were recognised, and the mean confidence.
    """
    names = picture.unique()
    truth = torch.stack([organ[picture == name][0] for name in names])

    def votes(heat: float) -> torch.Tensor:
        probability = (logits / heat).softmax(dim=1)
        return torch.stack([probability[picture == name].mean(dim=0) for name in names])

    grid = torch.logspace(-0.30103, 0.7, 80).tolist()
    losses = [float(F.nll_loss(votes(heat).clamp_min(1e-6).log(), truth)) for heat in grid]
    heat = grid[losses.index(min(losses))]
    sure, called = votes(heat).max(dim=1)
    return {
        "temperature": heat,
        "pictures": len(names),
        "pictures_right": int((called == truth).sum()),
        "mean_confidence": round(float(sure.mean()), 4),
        "votes": sorted([round(float(s), 3), bool(c == t)] for s, c, t in zip(sure, called, truth)),
    }


@torch.no_grad()
def fit_other_tissue(
    network: TrunkClassifier, pictures: list[Picture], seen: dict[str, torch.Tensor], batches: OrganBatches, cell: int
) -> other_tissue.OtherTissue:
    """The detector of other tissue from crops of `pictures` (see `other_tissue.fit`).

    Pictures of one core count as one; the limit is set by ordinary cores.
    """
    def core(picture: Picture) -> str:
        return picture.id.split("_")[0] if picture.target else f"{picture.set}:{picture.id}"

    features, cores = [], []
    device = next(network.parameters()).device
    for picture in pictures:
        if picture.target and picture.measurable and "_" not in picture.id:
            tiles = torch.from_numpy(cell_tiles(picture.image, batches.size, cell)).permute(0, 3, 1, 2).float() / 255.0
            features.append(network.features(normalise(tiles.to(device))).cpu())
            cores += [core(picture)] * len(tiles)
    shown = [core(pictures[place]) for place in seen["picture"].tolist()]
    return other_tissue.fit((seen["features"], seen["organ"], shown), (torch.cat(features), cores), network.channels)


def run(job: loop.Job, cell: int | None = None) -> None:
    """Collect features of crops until the stage's budget is used up, then solve for the last layer and write the checkpoint.

    The features are stored in the checkpoint, so an interrupted run resumes. With `cell`, the side of a routing cell, the
    router also learns to detect other tissue.
    """
    job.folder.mkdir(parents=True, exist_ok=True)
    if loop.finished(job):
        return
    if job.threads:
        torch.set_num_threads(job.threads)
    network = job.build().eval()
    batches = job.batches
    if not isinstance(network, TrunkClassifier) or not isinstance(batches, OrganBatches):
        raise TypeError("trunk.run trains a TrunkClassifier on OrganBatches")
    places = {id(p): place for place, p in enumerate(batches.pool.pictures)}
    seen: dict[str, list[torch.Tensor]] = {"features": [], "organ": [], "picture": [], "target": []}
    spent = 0.0
    ids = [f"{p.set}:{p.id}" for p in batches.pool.pictures]
    if job.checkpoint.exists():
        state = torch.load(job.checkpoint, map_location="cpu", weights_only=True)
        # with other pictures the indices would be wrong, and some may be held out now: start over
        if state["ids"] == ids:
            seen = {name: [state[name]] for name in seen}
            spent = state["spent"]
    count = sum(len(o) for o in seen["organ"])
    rng = np.random.default_rng([job.seed, count, *job.name.encode()])
    begun = saved = time.monotonic()
    network = network.to(job.device, memory_format=torch.channels_last)

    def write(now: float, progress: float, decay: float, more: dict | None = None) -> None:
        weights = {name: value.cpu() for name, value in network.state_dict().items()}
        about = {"spent": now, "step": count // job.stage.batch, "progress": progress, "decay": decay}
        about |= more or {}
        about |= {"average": weights, "ids": ids, "kept_out": list(job.kept_out)}
        checkpoints.save(job.checkpoint, about | {name: torch.cat(parts) for name, parts in seen.items()})

    while True:
        now = spent + time.monotonic() - begun
        progress = loop.passed(job.stage, now, count // job.stage.batch)
        if progress >= 1.0 and count:
            break
        images, organ, pictures = batches.draw_known(rng, job.stage.batch)
        with torch.no_grad():
            seen["features"].append(network.features(normalise(images.to(job.device))).cpu())
        seen["organ"].append(organ)
        seen["picture"].append(torch.tensor([places[id(p)] for p in pictures]))
        seen["target"].append(torch.tensor([p.target for p in pictures]))
        count += len(organ)
        run_log.note(job.folder, job.name, min(progress, 0.999), len(seen["organ"]), count, 0.0, now / 60)
        if time.monotonic() - saved >= loop.SAVE_EVERY:
            saved = time.monotonic()
            write(now, min(progress, 0.999), 0.0)
    whole = {name: torch.cat(parts) for name, parts in seen.items()}
    organs = network.last.out_features
    decay, right = cross_validate(whole["features"], whole["organ"], whole["picture"], whole["target"], organs)
    weight, bias = solve(whole["features"], whole["organ"], organs, decay)
    with torch.no_grad():
        network.last.weight.copy_(weight)
        network.last.bias.copy_(bias)
    more = {}
    if cell is not None:
        more = {"unfamiliar": other_tissue.stored(fit_other_tissue(network, batches.pool.pictures, whole, batches, cell))}
    write(max(now, job.stage.minutes * 60), 1.0, decay, more)
    run_log.note(job.folder, job.name, 1.0, len(seen["organ"]), count, 0.0, 0.0)
    said = job.monitor(network) if job.monitor is not None else ""
    about = f"{count} crops, decay {decay}, {right:.1%} of crops right in cross-validation"
    run_log.say(job.folder, job.name, f"done: {about}; {said}")
