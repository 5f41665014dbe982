"""The public functions that take a network or a module, made to take its name, too (docs/naming.md)."""

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
_FORMS = "a document or a name (docs/naming.md); "


def network_of(named: NamedNetwork) -> Network:
    """``named``, or the whole network that it names; anything else is returned as it is."""
    return load(named) if isinstance(named, str | Path) else named


def _part_of(named: NamedPart) -> AnyStep | Network:
    return item(named).whole if isinstance(named, str | Path) else named


def _by_name(
    function: Callable[..., R], resolve: Callable[[Any], Any] = network_of, arguments: int = 1
) -> Callable[..., R]:
    """``function`` with names in place of its first ``arguments``."""
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
    call.__doc__ = re.sub(rf"^( +(?:{'|'.join(named)}): )", rf"\1{_FORMS}", function.__doc__ or "", flags=re.MULTILINE)
    return call


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
    """The normal form of a module: one spelling for every way to write the same computation.

    Factors are opened, repeats and uses written out, nested concats flattened, trivial blocks replaced by their body,
    paddings written as numbers, and steps that do nothing dropped.

    Args:
        step: a step, or the name of a module (``"inception_v4.inception_a"``).
        blocks: the blocks of the step's network; a named module brings them.
        pool_defaults: the defaults of pools in that network; a named module brings them.
        same_padding: what ``same`` means in that network, ``"symmetric"`` or ``"tf"``; a named module brings it.

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
    """The graph of a network or module as a ``networkx.MultiDiGraph``, for layouts and graph algorithms of your own.

    Args:
        network: a document, a name (docs/naming.md has all forms; ``"inception_v4.inception_a"`` is a module alone, on
            the maps that reach it), or what :func:`lower` made.
        aux: with the auxiliary classifiers.

    Returns:
        The graph. Its nodes are paths (``"stem.0.conv"``), in topological order. Each has ``op`` (``"conv"``),
        ``attributes`` of the op (``{"width": 32, "kernel": (3, 3), ...}``), ``path``, ``shape`` of the output, (C, H,
        W) or (C,) of a vector, ``params`` and ``macs`` (multiply-adds, for one image). An edge has the ``shape`` that
        it carries and its ``position`` among the inputs of the node it leads to; a value that a node reads twice has
        two edges. The graph has the ``name`` of the network and the paths of its ``outputs``, the classifier first.

    Raises:
        UnknownNameError: nothing has the name.
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
    """The edits that lead from one network to another, each step a valid network.

    Decisions that belong together (one branch of every module, all widths, the stem ...) are one edit.

    Args:
        start: the first network: a document or a name (docs/naming.md has all forms).
        goal: the last network.
        space: every network on the way is a point of this space.
        via: networks to pass on the way.

    Returns:
        A move for ``start``, then one for each edit. ``move.network`` is the network that the edit leads to,
        ``move.cost`` its parameters and multiply-adds for one image.

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
    """A trained model: of a file that :func:`save_model` wrote, of a trial of a search, or of a final training.

    Args:
        model: the path of a ``.safetensors`` file; a run folder (``"runs/first"``: its best trial); a trial
            (``"runs/first:12"``); or what :func:`finalize` trained (``"runs/first:final"``: the best network with the
            best seed, both by validation; ``"runs/first:final:12"``: trial 12 with its best seed).

    Returns:
        The model in evaluation mode on the CPU: (N, C, H, W) images to (N, classes) logits. That of a trial has the
        classes, the input size, the normalisation of the images, the width and the depth that it was trained with.
        ``model.network`` is its document; :func:`prepare_images` makes its input from images.

    Raises:
        WeightsError: the file is damaged or holds no document, or the weights of the trial are not kept (those of
            complete trials are).
        ConfigError: the study has no trial of that number.
        RunFolderError: no final training is finished.

    >>> path = ins.save_model(ins.compile("nin_cifar10", width=0.25), "nin.safetensors")
    >>> ins.load_model(path).network.name
    'nin_cifar10'
    """
    from inception_search.weights.model_file import load_model as load_file

    trial = trial_named(model)
    return load_file(_model_path(model)) if trial is None else trained_of(trial).model()


def trained_of(trial: Trial) -> Trained:
    """What the training left that ``trial`` names; raises what :func:`load_model` raises."""
    from inception_search.store.run_folder import RunFolder
    from inception_search.weights.trained import trained

    return trained(RunFolder.open(trial.run), record_of(trial), final_of(trial))


def _model_path(model: str | Path) -> str | Path:
    """``model``, unless it is the name of a network, which has no weights."""
    if isinstance(model, str) and model.partition("@")[0].partition(".")[0] in names() and not is_file(model):
        raise WeightsError(
            "a network has no weights of its own",
            found=model,
            expected="a file that save_model wrote (.safetensors), a run folder, or a trial ('runs/first:12')",
            hint=f"write compile({model!r}, weights=FILE) to load weights into it",
        )
    return model
