"""What TensorFlow computes with the networks whose dialects ``slim`` and ``facenet_tf`` are, as arrays on disk.

``python tests/conformance/tf_slim_networks.py FOLDER`` writes one ``.npz`` for each network, 1.1 GB in all;
``test_tf_slim.py`` reads them in the package's own environment (``INCEPTION_SEARCH_TF_ARRAYS=FOLDER``). This one needs
Python 3.11 with ``tensorflow-cpu==2.15.1`` and ``tf_slim==1.1.0``, and no torch.

tf_slim has Inception v1 to v3. The others are files in distributions that cannot be installed beside it; unpack
``pip download --no-deps tf-models-research-object-detection==2.8.0.post1`` (the ``slim`` folder of tensorflow/models)
and ``facenet==1.0.5`` (davidsandberg's), and name the folders with ``--slim .../slim`` (it holds ``nets``) and
``--facenet .../facenet/src`` (it holds ``models``). Networks whose folder is not named are left out.

``--checkpoints`` writes a TensorFlow checkpoint (V2) of every network beside the arrays, too; of the first also those
of a training run, in V2 and V1, with the slots of RMSProp, moving averages and a step.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import types
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import tensorflow
import tf_slim as slim

tf = tensorflow.compat.v1

EMBEDDING = 512
FACES = 10
SCALES = (1, 4, 16, 64)
Outputs = tuple[Any, dict[str, Any]]


@dataclass(frozen=True)
class Original:
    """A network as its authors build it: ``build(images)`` gives logits (or embedding) and the end points.

    ``folder`` is the option that says where its source is; ``endpoints``: our stage -> their end point.
    """

    build: Callable[[Any], Outputs]
    size: int
    endpoints: Mapping[str, str]
    folder: str | None = None
    aux: bool = False


def main() -> None:
    """Write the arrays of every network that can be built here."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--slim", type=Path, help="folder that holds nets/inception_v4.py")
    parser.add_argument("--facenet", type=Path, help="folder that holds models/inception_resnet_v1.py")
    parser.add_argument("--only", nargs="*", choices=ORIGINALS, default=list(ORIGINALS))
    parser.add_argument("--checkpoints", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    patch_tensorflow()
    for folder in (options.slim, options.facenet):
        if folder is not None:
            sys.path.insert(0, str(folder.resolve()))
    for name in options.only:
        original = ORIGINALS[name]
        if original.folder is not None and getattr(options, original.folder) is None:
            print(f"{name}: left out, --{original.folder} is not given")
            continue
        checkpoints = options.folder / f"{name}.ckpt" if options.checkpoints else None
        arrays = evaluate(original, checkpoints, training_run=name == next(iter(ORIGINALS)))
        np.savez(options.folder / f"{name}.npz", **arrays)
        print(f"{name}: {len(arrays)} arrays")


def patch_tensorflow() -> None:
    """Put back what tf_slim 1.1.0 uses and TensorFlow 2.15 has elsewhere: Keras' layers for graphs, ``ops.Tensor``."""
    for name in ("base", "convolutional", "core", "normalization", "pooling"):
        module = importlib.import_module(f"keras.src.legacy_tf_layers.{name}")
        sys.modules.setdefault(f"tf_keras.legacy_tf_layers.{name}", module)
    importlib.import_module("tensorflow.python.framework.ops").Tensor = tensorflow.Tensor


def evaluate(original: Original, checkpoint: Path | None, training_run: bool) -> dict[str, np.ndarray]:
    """Variables, images, outputs and the gradient at the images, in float64; the variables are float32 numbers.

    Keys: ``variable:<name>``, ``images``, ``probe:<output>``, ``output:<output>``, ``endpoint:<stage>``, ``gradient``.
    The gradient is that of the sum of all outputs times their probes.
    """
    rng = np.random.default_rng(0)
    pictures = images(original.size, rng)
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float64, pictures.shape)
        logits, end_points = original.build(x)
        outputs = {"logits": logits, **({"aux": end_points["AuxLogits"]} if original.aux else {})}
        found = dict[str, np.ndarray]()
        for variable in sorted(tf.global_variables(), key=lambda v: v.op.name):
            found[f"variable:{variable.op.name}"] = value = random_value(
                variable.op.name, variable.shape.as_list(), rng
            )
            variable.load(value.astype(np.float64), session)
        probes = {name: rng.standard_normal(output.shape.as_list()) for name, output in outputs.items()}
        loss = tf.add_n([tf.reduce_sum(outputs[name] * probes[name]) for name in outputs])
        wanted = {f"output:{name}": output for name, output in outputs.items()}
        wanted |= {f"endpoint:{stage}": end_points[name] for stage, name in original.endpoints.items()}
        wanted |= {"gradient": tf.gradients(loss, x)[0]}
        found |= session.run(wanted, {x: pictures})
    found |= {"images": pictures, **{f"probe:{name}": probe for name, probe in probes.items()}}
    if checkpoint is not None:
        write_checkpoints(found, checkpoint, training_run)
    return found


def write_checkpoints(arrays: Mapping[str, np.ndarray], path: Path, training_run: bool) -> None:
    """The variables in float32 as TensorFlow saves them, in V2; a training run's in V1 (``<path>.v1``) and V2, too."""
    values = {name.partition(":")[2]: value for name, value in arrays.items() if name.startswith("variable:")}
    with tf.Graph().as_default(), tf.Session() as session:
        variables = [tf.Variable(tf.zeros(value.shape), name=name) for name, value in values.items()]
        step = tf.train.create_global_step()
        savers = {str(path): tf.train.Saver()}
        if training_run:
            trained = [v for v in variables if "/moving_" not in v.op.name]
            loss = tf.add_n([tf.reduce_sum(v * v) for v in trained])
            optimizer = tf.train.RMSPropOptimizer(0.1, momentum=0.9)
            average = tf.train.ExponentialMovingAverage(0.9999).apply(trained)
            train = tf.group(optimizer.minimize(loss, global_step=step, var_list=trained), average)
            savers[f"{path}.training-1"] = tf.train.Saver()
            savers[f"{path}.v1"] = tf.train.Saver(write_version=tf.train.SaverDef.V1)
        session.run(tf.global_variables_initializer())
        if training_run:
            session.run(train)
        for variable, value in zip(variables, values.values(), strict=True):
            variable.load(value, session)
        for name, saver in savers.items():
            saver.save(session, name, write_meta_graph=False)


def random_value(name: str, shape: list[int], rng: np.random.Generator) -> np.ndarray:
    """Float32 weights that keep activations in range, and statistics of batch norm that are not neutral."""
    if len(shape) > 1:
        fan_in = np.prod(shape[:2] if name.endswith("depthwise_weights") else shape[:-1])
        value = rng.standard_normal(shape) * np.sqrt(2 / fan_in)
    elif name.endswith("moving_variance"):
        value = rng.uniform(0.5, 1.5, shape)
    else:
        value = rng.standard_normal(shape) * 0.1
    return value.astype(np.float32)


def images(size: int, rng: np.random.Generator) -> np.ndarray:
    """Two NHWC images of noise, fine and coarse: after the global average white noise alone is all alike."""
    noise = np.zeros((2, size, size, 3))
    for scale in SCALES:
        cells = -(-size // scale)
        coarse = rng.standard_normal((2, cells, cells, 3))
        noise += coarse.repeat(scale, 1).repeat(scale, 2)[:, :size, :size]
    return noise / np.sqrt(len(SCALES))


def slim_network(module: str, function: str, **options: Any) -> Callable[[Any], Outputs]:
    """A network of TF-slim in its own argument scope; the fused batch norm, which is float32 only, is not used."""

    def build(x: Any) -> Outputs:
        nets = importlib.import_module(module)
        scope = getattr(nets, f"{function}_arg_scope")()
        for arguments in scope.values():
            if "normalizer_params" in arguments:
                arguments["normalizer_params"] = {**arguments["normalizer_params"], "fused": False}
        with slim.arg_scope(scope):
            return getattr(nets, function)(x, is_training=False, **options)  # type: ignore[no-any-return]

    return build


def facenet_network(name: str) -> Callable[[Any], Outputs]:
    """A network of FaceNet and, as in its training script, a classifier of the faces, which is not evaluated."""

    def build(x: Any) -> Outputs:
        with ExitStack() as stack:
            stack.enter_context(mock.patch.dict(sys.modules, first_tensorflow()))
            network = importlib.import_module(f"models.{name}")
            stack.enter_context(slim.arg_scope([slim.batch_norm], fused=False))
            embedding, end_points = network.inference(
                x, keep_probability=1.0, phase_train=False, bottleneck_layer_size=EMBEDDING
            )
        slim.fully_connected(embedding, FACES, activation_fn=None, scope="Logits")
        return embedding, end_points

    return build


def first_tensorflow() -> dict[str, types.ModuleType]:
    """The modules of TensorFlow 1 that FaceNet imports."""
    first, contrib = types.ModuleType("tensorflow"), types.ModuleType("tensorflow.contrib")
    first.__getattr__ = lambda name: getattr(tf, name)  # type: ignore[method-assign]
    first.contrib, contrib.slim = contrib, slim  # type: ignore[attr-defined]
    return {"tensorflow": first, "tensorflow.contrib": contrib, "tensorflow.contrib.slim": slim}


def _stages(text: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in text.split())


GOOGLENET = """conv1=Conv2d_1a_7x7 pool1=MaxPool_2a_3x3 conv2=Conv2d_2c_3x3 pool2=MaxPool_3a_3x3
inception_3a=Mixed_3b inception_3b=Mixed_3c pool3=MaxPool_4a_3x3 inception_4a=Mixed_4b inception_4b=Mixed_4c
inception_4c=Mixed_4d inception_4d=Mixed_4e inception_4e=Mixed_4f pool4=MaxPool_5a_2x2
inception_5a=Mixed_5b inception_5b=Mixed_5c"""
BN_INCEPTION = """conv1=Conv2d_1a_7x7 pool1=MaxPool_2a_3x3 conv2=Conv2d_2c_3x3 pool2=MaxPool_3a_3x3
inception_3a=Mixed_3b inception_3b=Mixed_3c inception_3c=Mixed_4a inception_4a=Mixed_4b inception_4b=Mixed_4c
inception_4c=Mixed_4d inception_4d=Mixed_4e inception_4e=Mixed_5a inception_5a=Mixed_5b inception_5b=Mixed_5c"""
V3 = """stem=MaxPool_5a_3x3 mixed_5b=Mixed_5b mixed_5c=Mixed_5c mixed_5d=Mixed_5d mixed_6a=Mixed_6a mixed_6b=Mixed_6b
mixed_6c=Mixed_6c mixed_6d=Mixed_6d mixed_6e=Mixed_6e mixed_7a=Mixed_7a mixed_7b=Mixed_7b mixed_7c=Mixed_7c"""
V4 = """stem=Mixed_5a inception_a=Mixed_5e reduction_a=Mixed_6a inception_b=Mixed_6h reduction_b=Mixed_7a
inception_c=Mixed_7d"""
RESNET_V2 = "stem=MaxPool_5a_3x3 mixed_5b=Mixed_5b mixed_6a=Mixed_6a mixed_7a=Mixed_7a conv_7b=Conv2d_7b_1x1"
FACES_V1 = """stem=Conv2d_4b_3x3 block35=Mixed_5a reduction_a=Mixed_6a block17=Mixed_6b reduction_b=Mixed_7a
block8=Mixed_8a block8_last=Mixed_8b"""

ORIGINALS: dict[str, Original] = {
    "inception_v1@slim": Original(slim_network("tf_slim.nets.inception_v1", "inception_v1"), 224, _stages(GOOGLENET)),
    "bn_inception@slim": Original(
        slim_network("tf_slim.nets.inception_v2", "inception_v2"), 224, _stages(BN_INCEPTION)
    ),
    "inception_v3@slim": Original(
        slim_network("tf_slim.nets.inception_v3", "inception_v3", num_classes=1001), 299, _stages(V3), aux=True
    ),
    "inception_v4@slim": Original(
        slim_network("nets.inception_v4", "inception_v4"), 299, _stages(V4), folder="slim", aux=True
    ),
    "inception_resnet_v2@slim": Original(
        slim_network("nets.inception_resnet_v2", "inception_resnet_v2"),
        299,
        _stages(f"{RESNET_V2} block17=PreAuxLogits"),
        folder="slim",
        aux=True,
    ),
    "inception_resnet_v1@facenet_tf": Original(
        facenet_network("inception_resnet_v1"), 160, _stages(FACES_V1), folder="facenet"
    ),
    "inception_resnet_v2@facenet_tf": Original(
        facenet_network("inception_resnet_v2"), 299, _stages(RESNET_V2), folder="facenet"
    ),
}

if __name__ == "__main__":
    main()
