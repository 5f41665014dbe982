"""``inception-search export``: writes a network or a trained model to a file of another runtime."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, cast

import typer

from inception_search.cli.naming import complete_item, one_of

if TYPE_CHECKING:
    from inception_search.backend.network_module import NetworkModule
    from inception_search.data.dataset import Dataset
    from inception_search.exports.job import Dtype

FORMATS = ("onnx", "source", "pt2", "openvino", "timm", "safetensors")
DTYPES = ("float32", "float16", "bfloat16")
DATASETS = ("digits", "fashion_mnist", "cifar10")


def export(
    network: Annotated[
        str,
        typer.Argument(
            help="A saved model, run folder (its best trial), trial (runs/NAME:12), final training (runs/NAME:final), "
            "or network (name@dialect or file; with --weights)",
            autocompletion=complete_item,
        ),
    ],
    to: Annotated[str, typer.Option(help=f"Format: {', '.join(FORMATS)}.", autocompletion=one_of(FORMATS))],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write. [default: NAME in this folder]")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            help="Weights of a network: a file, or pretrained for the published ones. [default: those of the model, "
            "else random ones]"
        ),
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Download published weights that are not in a cache. [default: no]")
    ] = False,
    dtype: Annotated[
        str, typer.Option(help="Numbers of the weights (onnx, openvino).", autocompletion=one_of(DTYPES))
    ] = "float32",
    keep_norms: Annotated[
        bool, typer.Option("--keep-norms", help="Write batch norms as they are, not folded (onnx, openvino).")
    ] = False,
    preprocess: Annotated[
        bool,
        typer.Option("--preprocess", help="Pixels (N, H, W, C), uint8, in; probabilities out (onnx, openvino)."),
    ] = False,
    dynamic_size: Annotated[
        bool, typer.Option("--dynamic-size", help="Allow images of other sizes (onnx, openvino).")
    ] = False,
    int8: Annotated[bool, typer.Option("--int8", help="Quantise to int8, with --calibrate (onnx, openvino).")] = False,
    calibrate: Annotated[
        str | None,
        typer.Option(
            help="Images for int8: a dataset or a folder of pictures. Accuracy before and after is printed. "
            "[default: none]",
            autocompletion=one_of(DATASETS),
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(show_default=False, help="Run the file in its own runtime and compare. [default: yes]"),
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a network or trained model for another runtime: ONNX, OpenVINO, torch.export and others.

    The file is run in its own runtime and compared with the model before it gets its name.
    """
    from inception_search.errors import ConfigError, unknown_name
    from inception_search.exports import formats
    from inception_search.exports.exporter import export as write
    from inception_search.hub.repository import local

    for what, value, names in (("format", to, formats.FORMATS), ("dtype", dtype, DTYPES)):
        if value not in names:
            raise unknown_name(what, value, names)
    if int8 and calibrate is None:
        hint = "add --calibrate with a dataset (such as digits) or a folder of pictures like those to come"
        raise ConfigError("needs images for its calibration", path="--int8", hint=hint)
    signal.signal(signal.SIGTERM, _leave)  # so that what is half written is removed, as after Ctrl-C
    model = _model(str(local(network)), weights, download)
    result = write(
        model,
        to,
        out or Path(f"{_stem(network)}{formats.FORMATS[to].suffix}"),
        dtype=cast("Dtype", dtype),
        keep_norms=keep_norms,
        preprocess=preprocess,
        dynamic_size=dynamic_size,
        int8=int8,
        calibrate=None if calibrate is None else _images(calibrate, model),
        check=check,
        force=force,
    )
    typer.echo(str(result))


def _leave(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _images(name: str, model: NetworkModule) -> Dataset:
    """The dataset ``name``, or the pictures of a folder, at the size of the network."""
    from inception_search.data.catalogue import load_data, names

    side = model.network.input.height
    if name not in names() and Path(name).is_dir():
        return load_data("image_folder", root=name, image_size=side)
    return load_data(name, image_size=side)


def _stem(network: str) -> str:
    """A file name for the network, without a suffix."""
    from inception_search.items import item

    return item(network).stem.removesuffix(".safetensors")


def _model(network: str, weights: str | None, download: bool) -> NetworkModule:
    """The model that ``network`` names, in evaluation mode."""
    from inception_search.api import compile as compile_network
    from inception_search.canonical.catalogue import is_model
    from inception_search.items import load, trial_named
    from inception_search.named import load_model

    trained = trial_named(network) is not None or is_model(network)
    if trained and weights is None and not download:
        return load_model(network).eval()
    model = compile_network(load(network), weights=weights, download=download).eval()
    if weights is None:
        typer.echo(f"warning: {network} has no weights of its own: random ones are written; give --weights", err=True)
    return model
