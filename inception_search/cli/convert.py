"""``inception-search convert``: converts weights to another implementation's format or to this package's own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inception_search.cli.naming import complete_implementation, complete_item, complete_run
from inception_search.cli.shared_options import integer
from inception_search.cli.wording import in_options
from inception_search.errors import ConfigError, one_line

if TYPE_CHECKING:
    from inception_search.backend.network_module import NetworkModule
    from inception_search.published.for_network import ForNetwork
    from inception_search.spec.network import Network
    from inception_search.weights.checkpoint import Checkpoint
    from inception_search.weights.identify import InFile


def convert(
    weights: Annotated[
        str,
        typer.Argument(
            help="A weight file (safetensors, .pt/.pth, .h5/.keras, a TF checkpoint), run folder, trial (runs/NAME:12) "
            "or final training (runs/NAME:final); pretrained or pretrained:TAG: the published weights of --network",
            autocompletion=complete_run,
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write. [default: none; only the report is printed]")
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            help="Network (name@dialect or file). [default: detected from the weights]",
            autocompletion=complete_item,
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            help="Write in the format of this implementation (timm, keras ...). [default: this package's format]",
            autocompletion=complete_implementation,
        ),
    ] = None,
    classes: Annotated[
        int | None,
        integer(
            least=0,
            help="Number of classes. 0 removes the classifier; a number other than the file's initialises a new one. "
            "[default: the file's]",
        ),
    ] = None,
    in_channels: Annotated[
        int | None,
        integer(least=1, help="Input channels; the first convolution is adapted to them. [default: the file's]"),
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Download published weights that are not in a cache. [default: no]")
    ] = False,
    aux: Annotated[
        bool, typer.Option(show_default=False, help="Keep the weights of auxiliary classifiers. [default: yes]")
    ] = True,
) -> None:
    """Identify which implementation a weight file comes from, and convert it.

    The result has this package's format or, with --to, that of another implementation.
    """
    from inception_search.api import compile as compile_network
    from inception_search.errors import warn
    from inception_search.weights.identify import made_for, taken_for

    if out is not None:
        _check_out(out, to)
    published = _published(weights, network, download)
    checkpoint, net = _read(weights, network) if published is None else (_checkpoint(published), published.network)
    found = made_for(checkpoint, net)
    net = _as_in_file(net, found, classes, in_channels)
    with_aux = aux and found.aux and bool(net.aux)
    with _printed_warnings():
        module = compile_network(net, num_classes=classes, in_channels=in_channels, aux=with_aux, weights=checkpoint)
        if published is not None:
            published.name_classes(module)
        typer.echo(f"{weights}: {in_options(str(module.loaded))}")
        if network is None and (doubt := taken_for(net, module.loaded.alike)):
            warn(doubt)
    if out is not None:
        with _printed_warnings():
            _write(module, out, to)
        typer.echo(str(out))


def _published(weights: str, network: str | None, download: bool) -> ForNetwork | None:
    """The published weights of the named network; None for other weights."""
    from inception_search.items import load
    from inception_search.published.catalogue import is_pretrained
    from inception_search.published.for_network import published_for

    if not is_pretrained(weights):
        if download:
            hint = "write pretrained in its place, or leave out --download"
            raise ConfigError("--download is for published weights", found=weights, hint=hint)
        return None
    if network is None:
        hint = "add --network inception_v3@torchvision, for example"
        raise ConfigError("published weights are those of a network, which is not named", hint=hint)
    return published_for(load(network), weights, download=download)


def _checkpoint(published: ForNetwork) -> Checkpoint:
    from inception_search.weights.checkpoint import read_checkpoint

    return read_checkpoint(published.file)


def _read(weights: str, network: str | None) -> tuple[Checkpoint, Network]:
    """The weights of a file, trial or ``hf://user/name``, and the named network, else that of the weights."""
    from inception_search.hub.repository import local
    from inception_search.items import load, trial_named
    from inception_search.named import trained_of
    from inception_search.weights.checkpoint import read_checkpoint
    from inception_search.weights.identify import network_of

    trial = trial_named(weights)
    if trial is None:
        checkpoint = read_checkpoint(local(weights))
        return checkpoint, network_of(checkpoint) if network is None else load(network)
    found = trained_of(trial)
    return found.checkpoint, found.network if network is None else load(network)


def _as_in_file(net: Network, found: InFile, classes: int | None, in_channels: int | None) -> Network:
    """``net`` with the classes and input channels of the file, unless the options give others."""
    from inception_search.spec.transform import set_classes, set_input

    if classes is None and found.classes not in (None, net.head.classes):
        net = set_classes(net, found.classes)
    return net if in_channels is not None else set_input(net, channels=found.channels)


@contextmanager
def _printed_warnings() -> Iterator[None]:
    """Print warnings raised in the block as lines on standard error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        typer.echo(f"warning: {in_options(one_line(warning.message))}", err=True)


def _write(module: NetworkModule, out: Path, to: str | None) -> None:
    from inception_search.weights.export import export_weights, write_weights
    from inception_search.weights.model_file import save_model

    if to is not None:
        write_weights(export_weights(module, to), out)
    else:
        save_model(module, out)


def _check_out(out: Path, to: str | None) -> None:
    """Reject an output file that cannot be written, before anything is read."""
    from inception_search.weights.export import writer_of
    from inception_search.weights.model_file import check_name
    from inception_search.weights.write import check_folder

    if to is not None:
        writer_of(out)
    else:
        try:
            check_name(out)
        except ConfigError as error:
            error.hint = "for other formats name an implementation, such as --to timm"
            raise
    check_folder(out)
