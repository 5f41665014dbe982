"""The public functions that take a network or a module, extended to accept its name, too (docs/naming.md)."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias, TypeVar, cast

from inception_search.canonical.catalogue import is_file, names
from inception_search.edits import crossover as _crossover
from inception_search.edits import edit_path as _edit_path
from inception_search.edits import mutate as _mutate
from inception_search.edits.kinds import table as _table
from inception_search.errors import WeightsError
from inception_search.hub.repository import local
from inception_search.items import Trial, final_of, item, load, load_module, module_item, record_of, trial_named
from inception_search.lowering import lower as _lower
from inception_search.lowering import lower_module
from inception_search.measures import measure as _measure
from inception_search.spec import stem as _stem
from inception_search.spec import transform as _transform
from inception_search.spec.documents import to_yaml as _to_yaml
from inception_search.spec.identity import arch_id as _identity
from inception_search.spec.identity import normal_form as _normal
from inception_search.spec.network import Network, PoolDefaults
from inception_search.spec.step import AnyStep

if TYPE_CHECKING:
    from inception_search.backend.network_module import NetworkModule
    from inception_search.edits.edit_path import Move
    from inception_search.graph.graph import Graph
    from inception_search.graph.to_networkx import MultiDiGraph
    from inception_search.space.space import Space
    from inception_search.spec.factorisation import Same
    from inception_search.weights.trained import Trained

P = ParamSpec("P")
R = TypeVar("R")
NamedNetwork: TypeAlias = Network | str | Path
NamedPart: TypeAlias = AnyStep | Network | str | Path
_NAMING = "docs/naming.md"


def network_of(named: NamedNetwork) -> Network:
    """The whole network that a text or path names; any other ``named`` is returned unchanged."""
    return load(named) if isinstance(named, str | Path) else named


def _part_of(named: NamedPart) -> AnyStep | Network:
    return item(named).whole if isinstance(named, str | Path) else named


def _by_name(
    function: Callable[..., R], resolve: Callable[[Any], Any] = network_of, arguments: int = 1
) -> Callable[..., R]:
    """``function``, wrapped to accept names as its first ``arguments`` arguments."""
    signature = inspect.signature(function)
    named = list(signature.parameters)[:arguments]

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> R:
        given = (*map(resolve, args[:arguments]), *args[arguments:])
        return function(*given, **{name: resolve(kwargs[name]) if name in named else kwargs[name] for name in kwargs})

    changed = [
        parameter.replace(annotation=f"{parameter.annotation} | str | Path") if name in named else parameter
        for name, parameter in signature.parameters.items()
    ]
    cast(Any, call).__signature__ = signature.replace(parameters=changed)
    call.__doc__ = _with_names(function.__doc__ or "", named)
    return call


def _with_names(text: str, named: Sequence[str]) -> str:
    """The docstring ``text``, which mentions at each argument in ``named`` that its name is accepted, too."""
    if _NAMING in text:
        return text
    for name in named:
        text = re.sub(rf"^( *{name}: [^.\n]+)\.", rf"\1, or its name ({_NAMING}).", text, count=1, flags=re.MULTILINE)
    return text


def _of_network(function: Callable[Concatenate[Network, P], R]) -> Callable[Concatenate[NamedNetwork, P], R]:
    return cast(Callable[Concatenate[NamedNetwork, P], R], _by_name(function))


def _of_two(
    function: Callable[Concatenate[Network, Network, P], R],
) -> Callable[Concatenate[NamedNetwork, NamedNetwork, P], R]:
    return cast(Callable[Concatenate[NamedNetwork, NamedNetwork, P], R], _by_name(function, arguments=2))


def _of_part(
    function: Callable[Concatenate[AnyStep | Network, P], R],
) -> Callable[Concatenate[NamedPart, P], R]:
    return cast(Callable[Concatenate[NamedPart, P], R], _by_name(function, _part_of))


lower = _of_network(_lower)
arch_id = _of_network(_identity.arch_id)
measure_network = _of_network(_measure.measure)
mutate = _of_network(_mutate.mutate)
crossover = _of_two(_crossover.crossover)
edits_of = _of_network(_table.edits_of)
to_yaml = _of_part(_to_yaml.text)
drop_head = _of_network(_transform.drop_head)
scale_width = _of_network(_transform.scale_network_width)
set_classes = _of_network(_transform.set_classes)
scale_depth = _of_network(_transform.set_depth)
set_input = _of_network(_transform.set_input)
set_stem_stride = _of_network(_stem.set_stem_stride)
swap_stem = _of_network(_transform.swap_stem)


def normal_form(
    step: AnyStep | str | Path,
    blocks: Mapping[str, AnyStep] | None = None,
    pool_defaults: PoolDefaults | None = None,
    same_padding: Same | None = None,
) -> AnyStep:
    """The normal form of a module: the same for every way to write the same computation.

    Factorised convolutions and repeats are expanded, references to blocks are replaced by the blocks, nested concats
    are flattened. Blocks without a residual are replaced by their body, paddings are written as numbers, and steps
    without effect are removed.

    Args:
        step: a step, or the name of a module (docs/naming.md), such as ``"inception_v4.inception_a"``.
        blocks: the blocks of the step's network (default: those of a module given by its name, else none).
        pool_defaults: the defaults of pools in that network (default: those of a module given by its name).
        same_padding: the meaning of padding ``same`` in that network, ``"symmetric"`` or ``"tf"`` (default: that of a
            module given by its name, else ``"symmetric"``).

    Returns:
        The step in normal form.

    Raises:
        UnknownNameError: the step uses a block that is not in ``blocks``.

    >>> one, other = ins.parse_step("2 x 3x3 8"), ins.parse_step("[3x3 8, 3x3 8]")
    >>> one == other, ins.normal_form(one) == ins.normal_form(other)
    (False, True)
    """
    if isinstance(step, str | Path):
        found = module_item(step)
        network = found.network
        step, blocks = load_module(step), network.blocks if blocks is None else blocks
        pool_defaults, same_padding = pool_defaults or network.pool_defaults, same_padding or network.same_padding
    return _normal.normal(step, blocks, pool_defaults, same_padding or "symmetric")


def to_networkx(network: NamedNetwork | Graph, *, aux: bool = True) -> MultiDiGraph[str]:
    """The graph of a network or module as a ``networkx.MultiDiGraph``, for layouts and graph algorithms.

    Args:
        network: a document, a name (docs/naming.md has all forms; ``"inception_v4.inception_a"`` is a module alone, on
            the feature maps that reach it), or a :class:`Graph` from :func:`lower`.
        aux: include the auxiliary classifiers.

    Returns:
        The graph. Its nodes are paths (``"stem.0.conv"``), in topological order. Each has ``op`` (``"conv"``),
        ``attributes`` of the op (``{"width": 32, "kernel": (3, 3), ...}``), ``path``, ``shape`` of the output, (C, H,
        W) or (C,) of a vector, ``params`` and ``macs`` (multiply-adds, for one image). An edge has the ``shape`` of
        its value and its ``position`` among the inputs of its target; a value that a node reads twice has two edges.
        The graph has the ``name`` of the network and the paths of its ``outputs``, the classifier first.

    Raises:
        UnknownNameError: the name is unknown.
        ShapeError: the network does not fit its input.

    >>> ins.to_networkx("inception_v4").nodes["stem.0.conv"]["shape"]
    (32, 149, 149)
    """
    from inception_search.graph.graph import Graph
    from inception_search.graph.to_networkx import to_networkx as made_of

    if isinstance(network, Graph):
        return made_of(network)
    if isinstance(network, Network):
        return made_of(_lower(network, aux=aux), network.name)
    found = item(network)
    graph = _lower(found.network, aux=aux) if found.module is None else lower_module(found.network, found.module)
    return made_of(graph, found.name)


def edit_path(
    start: NamedNetwork,
    goal: NamedNetwork,
    space: Space | str = "inception",
    via: Sequence[NamedNetwork] = (),
) -> tuple[Move, ...]:
    """The edits that lead from one network to another; each edit results in a valid network.

    Decisions that belong together (one branch of every module, all widths, the stem ...) are one edit.

    Args:
        start: the first network: a document or a name (docs/naming.md has all forms).
        goal: the last network.
        space: a space, or its name, that contains every network of the path.
        via: networks that the path passes through, in this order.

    Returns:
        The steps of the path: the first one describes ``start``, each further one an edit. ``move.network`` is the
        network after the edit, ``move.cost`` its parameters and multiply-adds for one image.

    Raises:
        NotInSpaceError: one of the networks is not in the space, with the reason.

    >>> moves = ins.edit_path("inception_v1", "bn_inception")
    >>> print(moves[1])
    add batch norm (7,013,112 parameters, 1,582,671,872 MACs)
    >>> moves[-1].network.name
    'bn_inception'
    """
    return _edit_path.path(network_of(start), network_of(goal), space, [network_of(stop) for stop in via])


def load_model(model: str | Path) -> NetworkModule:
    """Load a trained model from a file of :func:`save_model`, from a trial of a search, or from a final training.

    Args:
        model: the path of a ``.safetensors`` file; a run folder (``"runs/first"``: its best trial); a trial
            (``"runs/first:12"``); or a training of :func:`finalize` (``"runs/first:final"``: the best network with the
            best seed, both selected on the validation images; ``"runs/first:final:12"``: trial 12 with its best seed);
            or a repository of the Hugging Face Hub that :func:`push_to_hub` wrote (``"hf://user/name"``, or
            ``"hf://user/name@revision"``).

    Returns:
        The model in evaluation mode on the CPU: (N, C, H, W) images to (N, classes) logits. The model of a trial has
        the classes, the input size, the normalisation of the images, the width and the depth of its training.
        ``model.network`` is its document; :func:`prepare_images` converts images to its input.

    Raises:
        WeightsError: the file is damaged or contains no document, the Hub cannot send it, or the weights of the trial
            were not kept (only those of complete trials are kept).
        ConfigError: the study has no trial of this number.
        RunFolderError: no final training is finished.

    >>> path = ins.save_model(ins.compile("nin_cifar10", width=0.25), "nin.safetensors")
    >>> ins.load_model(path).network.name
    'nin_cifar10'
    """
    from inception_search.weights.model_file import load_model as load_file

    model = local(model)
    trial = trial_named(model)
    return load_file(_model_path(model)) if trial is None else trained_of(trial).model()


def trained_of(trial: Trial) -> Trained:
    """The stored training of ``trial``; raises the errors of :func:`load_model`."""
    from inception_search.store.run_folder import RunFolder
    from inception_search.weights.trained import trained

    return trained(RunFolder.open(trial.run), record_of(trial), final_of(trial))


def _model_path(model: str | Path) -> str | Path:
    """``model``; raises if it names a network, which has no weights."""
    if isinstance(model, str) and model.partition("@")[0].partition(".")[0] in names() and not is_file(model):
        raise WeightsError(
            "a network has no weights of its own",
            found=model,
            expected="a file that save_model wrote (.safetensors), a run folder, or a trial ('runs/first:12')",
            hint=f"write compile({model!r}, weights=FILE) to load weights into it",
        )
    return model
