"""Edits of the residual of a block: on or off, its scale, its projection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from inception_search.edits.kinds.kind import Kind
from inception_search.edits.kinds.replace_fields import reduces, variants
from inception_search.edits.sites import Site
from inception_search.spec.step import AnyStep, Block, Concat, Use

SCALES = (0.1, 0.17, 0.2, 0.3, 0.5, 1.0)
PROJECTIONS = get_args(Block.model_fields["project"].annotation)


def toggle_residual(site: Site) -> Iterator[AnyStep]:
    """The block with its sum added or removed; a module put into a block with a sum (Inception-ResNet, 1602.07261)."""
    step = site.step
    if isinstance(step, Block):
        yield from _toggled(step)
    elif not any(isinstance(part, Block) for part in (site.parent, site.network.resolve(step))):
        yield from _residual(step) if not reduces(step, site.network) else ()


def _toggled(block: Block) -> Iterator[AnyStep]:
    if block.skip == "none":
        yield from _residual(block.body)
        yield Block(**{**block.__dict__, "skip": "add"})
    else:
        yield block.body
        yield Block(body=block.body)
        yield Block(**{**block.__dict__, "skip": "none", "stride": 1})


def _residual(body: AnyStep) -> Iterator[AnyStep]:
    for scale in SCALES:
        yield Block(body=body, skip="add", project="linear", scale=scale, act="relu")


def set_scale(site: Site) -> tuple[AnyStep, ...]:
    """The block with every other scale of its sum."""
    assert isinstance(site.step, Block)
    return variants(site.step, ({"scale": scale} for scale in SCALES)) if site.step.skip != "none" else ()


def set_project(site: Site) -> tuple[AnyStep, ...]:
    """The block with every other projection."""
    assert isinstance(site.step, Block)
    return variants(site.step, ({"project": project} for project in PROJECTIONS))


TOGGLE_RESIDUAL = Kind("toggle_residual", (Block, Concat, Use), toggle_residual)
SET_SCALE = Kind("set_scale", (Block,), set_scale)
SET_PROJECT = Kind("set_project", (Block,), set_project)
