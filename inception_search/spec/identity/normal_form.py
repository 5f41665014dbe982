"""The normal form: one spelling for every way to write the same computation. ``arch_id`` is based on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from inception_search.errors import unknown_name
from inception_search.spec.base_model import SpecModel
from inception_search.spec.factorisation import Same, opened, padding_of, plain_dilation
from inception_search.spec.identity.dag_normal_form import flat_concat, reduced
from inception_search.spec.network import Network, PoolDefaults
from inception_search.spec.step import (
    Act,
    AnyStep,
    Block,
    Chain,
    Concat,
    Conv,
    Dag,
    Depthwise,
    Dropout,
    Identity,
    Pool,
    Repeat,
    Use,
    chain,
)
from inception_search.spec.transform import map_dag


def normal(
    step: AnyStep,
    blocks: Mapping[str, AnyStep] | None = None,
    pool_defaults: PoolDefaults | None = None,
    same_padding: Same = "symmetric",
) -> AnyStep:
    """``step`` in normal form.

    Factorised convolutions, repeats and uses are unrolled, nested concats flattened, trivial blocks replaced by their
    body, and parts of a dag written as chains and concats. Paddings become numbers; steps without effect are dropped.

    Raises :class:`~inception_search.errors.UnknownNameError` for a use of a block that is not in ``blocks``.
    """
    return _Normal(blocks or {}, pool_defaults or PoolDefaults(), same_padding).step(step)


def normal_trunk(network: Network) -> dict[str, AnyStep]:
    """The normal form of every stage of ``network``."""
    rules = _Normal(network.blocks, network.pool_defaults, network.same_padding)
    return {name: rules.step(step) for name, step in network.stages.items()}


class _Normal:
    def __init__(self, blocks: Mapping[str, AnyStep], pools: PoolDefaults, same: Same) -> None:
        self.blocks = blocks
        self.pools = pools
        self.same = same

    def step(self, step: AnyStep) -> AnyStep:
        rule = NORMAL.get(type(step))
        return rule(self, step) if rule else step

    def conv(self, conv: Conv) -> AnyStep:
        if conv.factor != "none":
            return self.step(opened(conv))
        return self.padded(conv)

    def padded(self, conv: Conv | Depthwise) -> AnyStep:
        """``conv`` with its padding as numbers, and one spelling of its norm, activation and bias."""
        padding = padding_of(conv.kernel, conv.padding, conv.dilation, conv.stride, self.same)
        linear = (conv.norm, conv.act, conv.bias) == (False, "none", True)
        plain = {"linear": True, "norm": None, "act": None, "bias": None} if linear else {}
        return conv.model_copy(update={"padding": padding, "dilation": plain_dilation(conv), **plain})

    def pool(self, pool: Pool) -> AnyStep:
        padding = padding_of(pool.kernel, pool.padding, stride=pool.stride, same=self.same)
        if pool.kernel == (1, 1) and pool.stride == 1 and padding == (0, 0) and pool.mode != "l2":
            return Identity()  # l2 of one value is its magnitude
        count = self.pools.count_pad if pool.count_pad is None else pool.count_pad
        ceil = self.pools.ceil if pool.ceil is None else pool.ceil
        update = {
            "padding": padding,
            "count_pad": count and pool.mode == "avg" and padding != (0, 0),
            "ceil": ceil and pool.stride != 1 and padding != "tf",
        }
        return pool.model_copy(update=update)

    def block(self, block: Block) -> AnyStep:
        """Replace a block without sum, projection and scale by its body and activation."""
        body = self.step(block.body)
        if block.skip != "none" or block.project != "none" or block.scale != 1.0:
            return block.model_copy(update={"body": body})
        return chain(body, Act(name=block.act)) if block.act != "none" else body

    def chain(self, step: Chain) -> AnyStep:
        return chain(*map(self.step, step.steps))

    def concat(self, step: Concat) -> AnyStep:
        return flat_concat(map(self.step, step.branches))

    def dag(self, step: Dag) -> AnyStep:
        return reduced(map_dag(step, self.step))

    def repeat(self, step: Repeat) -> AnyStep:
        return chain(*([self.step(step.body)] * step.times))

    def use(self, step: Use) -> AnyStep:
        if step.name not in self.blocks:
            raise unknown_name("block", step.name, self.blocks)
        return self.step(self.blocks[step.name])

    def dropout(self, step: Dropout) -> AnyStep:
        return step if step.p else Identity()

    def act(self, step: Act) -> AnyStep:
        return step if step.name != "none" else Identity()


# Other kinds are their own normal form.
NORMAL: dict[type[SpecModel], Callable[[_Normal, Any], AnyStep]] = {
    Conv: _Normal.conv,
    Depthwise: _Normal.padded,
    Pool: _Normal.pool,
    Dropout: _Normal.dropout,
    Act: _Normal.act,
    Chain: _Normal.chain,
    Concat: _Normal.concat,
    Block: _Normal.block,
    Dag: _Normal.dag,
    Repeat: _Normal.repeat,
    Use: _Normal.use,
}
