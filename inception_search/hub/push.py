"""Upload of a model to the Hugging Face Hub, with its document and a model card."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from inception_search.backend.network_module import NetworkModule
from inception_search.errors import ConfigError
from inception_search.exports.timm_format import config_file
from inception_search.figures.draw import draw
from inception_search.hub.card import DOCUMENT, FIGURE, card_of
from inception_search.hub.repository import MODEL, endpoint, hub_errors, hub_package, repository
from inception_search.items import record_of, trial_named
from inception_search.named import load_model
from inception_search.spec.documents.to_yaml import network_text
from inception_search.spec.transform import remake
from inception_search.store.record import TrialRecord
from inception_search.timm_bridge.package import CONFIG
from inception_search.weights.model_file import save_model

CARD = "README.md"


def push_to_hub(
    model: NetworkModule | str | Path,
    repo: str,
    *,
    private: bool = False,
    token: str | None = None,
    message: str | None = None,
    license: str | None = None,  # noqa: A002 (the word of model cards)
    revision: str | None = None,
) -> str:
    """Write a model to a repository of the Hugging Face Hub, which is made if it does not exist.

    The repository gets the weights with the document (``model.safetensors``), the document (``network.yaml``), a
    figure, ``config.json`` for timm, and a model card (``README.md``) with the costs, the differences from the nearest
    canonical network, and the training record of a trial. Other files of the repository are not changed.
    ``load_model("hf://user/name")`` loads the model.

    Args:
        model: a model, or the name of one (docs/naming.md): a trial (``"runs/first:12"``), a run folder, or a saved
            model. The card has the training record only if a trial is given by its name.
        repo: the repository, ``"user/name"``.
        private: make a new repository private.
        token: a token that may write (default: that of ``hf auth login`` or ``HF_TOKEN``).
        message: the message of the commit.
        license: the licence in the model card, such as ``"apache-2.0"`` (default: none).
        revision: a branch that exists (default: the main branch).

    Returns:
        The URL of the repository.

    Raises:
        MissingRequirementError: huggingface_hub is not installed.
        ConfigError: there is no token, or the name of the repository cannot be used.
        WeightsError: the Hub cannot be reached, or refuses the upload.

    >>> ins.push_to_hub("runs/example:30", "one name")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    inception_search.errors.ConfigError: not the name of a repository of the Hugging Face Hub, got 'one name'...
    """
    found = repository(repo if revision is None else f"{repo}@{revision}")
    hub = hub_package()
    if token is None and hub.get_token() is None:
        hint = "run 'hf auth login', set HF_TOKEN, or give token="
        raise ConfigError("no token for the Hugging Face Hub", path="token", hint=hint)
    module = model if isinstance(model, NetworkModule) else load_model(model)
    folder = Path(tempfile.mkdtemp())
    try:
        write_repository(folder, module, found.name, _record(model), license)
        api = hub.HfApi(endpoint=endpoint(), token=token)
        with hub_errors(found, "uploaded"):
            api.create_repo(found.name, private=private, exist_ok=True)
            text = message or f"{module.network.name}, written by inception-search"
            api.upload_folder(repo_id=found.name, folder_path=folder, commit_message=text, revision=found.revision)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return found.url


def write_repository(
    folder: Path,
    module: NetworkModule,
    name: str,
    record: TrialRecord | None,
    license: str | None,  # noqa: A002
) -> None:
    """Write the files of the repository ``name`` to ``folder``."""
    network, utf8 = module.network, "utf-8"
    save_model(module, folder / MODEL)
    config = config_file(remake(network, aux={}), module.classes)
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding=utf8)
    (folder / DOCUMENT).write_text(network_text(network), encoding=utf8)
    draw(network).save(folder / FIGURE)
    architecture = config["architecture"]
    card = card_of(name, network, classes=module.classes, record=record, license=license, architecture=architecture)
    (folder / CARD).write_text(card, encoding=utf8)


def _record(model: object) -> TrialRecord | None:
    trial = trial_named(model) if isinstance(model, str | Path) else None
    return None if trial is None else record_of(trial)
