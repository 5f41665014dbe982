"""Mutations: valid documents, other architectures, exactly undone; inside spaces; drawn as the mix says."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

import inception_search as ins
from inception_search.edits.cached_certificate import certificate, same_architecture
from inception_search.edits.difference import difference
from inception_search.edits.kinds.table import DEFAULT_MIX, EDITS
from inception_search.edits.mutate import Mutation, Tries, mutate
from inception_search.edits.validity import surely_readable, why_not
from inception_search.errors import EditError, LimitError, NotInSpaceError, UnknownNameError
from inception_search.spec.documents.parse import parse_network
from inception_search.spec.documents.to_yaml import text
from inception_search.spec.documents.yaml_reader import read_yaml
from inception_search.spec.identity import arch_id as identity
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Conv, concat
from inception_search.spec.transform import remake
from tests.edits.edit_samples import documents, net
from tests.shipped import shipped_space

EVERYTHING = dict.fromkeys(EDITS, 1.0)
SPACE = shipped_space("inception_modules")


def check(parent: Network, mutation: Mutation) -> None:
    """The mutation is another architecture, a document that lowers, and the edits make and undo it."""
    child = mutation.network
    assert ins.arch_id(child) != ins.arch_id(parent)
    assert ins.lower(child).cost().params >= 0
    assert parse_network(text(child)) == child
    made = parent
    for edit in mutation.edits:
        made = edit.apply(made)
    assert made == child
    for edit in reversed(mutation.edits):
        made = edit.inverse.apply(made)
    assert made == parent
    assert [*made.stages, *made.aux] == [*parent.stages, *parent.aux]


def walk(network: Network, rng: random.Random, steps: int) -> Iterator[tuple[Network, Mutation]]:
    for _ in range(steps):
        mutation = mutate(network, rng, mix=EVERYTHING)
        yield network, mutation
        network = mutation.network


@given(documents, st.integers(0, 2**32))
def test_random_documents(network: Network, seed: int) -> None:
    check(network, mutate(network, seed, mix=EVERYTHING))


@pytest.mark.parametrize("name", ins.list_models(dialects=False))
def test_canonical_networks(name: str) -> None:
    network, rng = ins.load(name), random.Random(0)
    for _ in range(6):
        check(network, mutate(network, rng))


@pytest.mark.parametrize("many", [150, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["inception_v4", "inception_v3", "inception_resnet_v2"])
def test_many_mutations_are_other_architectures_that_fit(name: str, many: int) -> None:
    network, rng = ins.load(name), random.Random(1)
    before = identity.certificate(network)
    for _ in range(many):
        mutation = mutate(network, rng)
        assert certificate(mutation.network) != before
        assert why_not(mutation.network) is None
        assert mutation.edit.inverse.apply(mutation.network) == network


@pytest.mark.parametrize("name", ["inception_v1", "inception_resnet_v2"])
def test_walks(name: str) -> None:
    for parent, mutation in walk(ins.load(name), random.Random(2), 20):
        check(parent, mutation)


@pytest.mark.slow
@pytest.mark.parametrize("name", ins.list_models(dialects=False))
def test_long_walks(name: str) -> None:
    for seed in range(6):
        for parent, mutation in walk(ins.load(name), random.Random(seed), 50):
            check(parent, mutation)


# ------------------------------------------------------------------------------------------------- the fast certificate
ALIKE = ("reorder_branches", "untie_use", "untie_repeat")


@given(documents, st.integers(0, 2**32))
def test_the_remembered_certificate_is_the_certificate(network: Network, seed: int) -> None:
    assert certificate(network) == identity.certificate(network)
    for parent, mutation in walk(network, random.Random(seed), 3):
        assert certificate(mutation.network) == identity.certificate(mutation.network)
        assert not same_architecture(parent, mutation.network)


@pytest.mark.parametrize("many", [45, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ins.list_models(dialects=False))
def test_on_every_candidate_it_agrees_with_the_arch_id(name: str, many: int) -> None:
    network, rng, alike = ins.load(name), random.Random(3), 0
    own = ins.arch_id(network)
    for _ in range(many):
        edit = EDITS[rng.choice(list(EDITS))].draw(network, rng)
        if edit is not None:
            child = edit.apply(network)
            assert certificate(child) == identity.certificate(child)
            alike += edit.name in ALIKE
            assert edit.name not in ALIKE or same_architecture(child, network)
            assert same_architecture(child, network) == (ins.arch_id(child) == own)
    assert alike > 0 or name.startswith("nin")  # which has no branches


def test_a_block_that_changes_is_not_remembered() -> None:
    network = net("[{concat: [1x1 4, m]}, 2 x m]", blocks="{m: {concat: [1x1 4, n]}, n: 3x3 4}")
    for edit in ins.edits_of(network, ["set_kernel", "set_width"]):
        child = edit.apply(network)
        assert certificate(child) == identity.certificate(child) != certificate(network)


# ----------------------------------------------------------------------------------------------------------- spaces


def test_inside_a_space() -> None:
    rng, kinds = random.Random(4), Counter[str]()
    for _ in range(40):
        parent = SPACE.decode(SPACE.sample(rng))
        mutation = mutate(parent, rng, space=SPACE)
        check(parent, mutation)
        assert SPACE.contains(mutation.network)
        kinds[mutation.edit.name] += 1
    assert kinds["change"] > 0  # a hole of the point
    assert len(kinds) > 4


def test_a_walk_inside_a_space_from_a_canonical_module() -> None:
    network, rng = SPACE.fixed_points["v4_a"], random.Random(5)
    for _ in range(15):
        network = mutate(network, rng, space=SPACE).network
        assert SPACE.contains(network)


def test_a_network_outside_the_space_is_told_why() -> None:
    with pytest.raises(NotInSpaceError):
        mutate(net("lrn"), 0, space=SPACE, mix={"set_repeat": 1})


def test_a_space_in_other_words() -> None:
    network = SPACE.fixed_points["v1_3a"]
    parent = network.model_copy(update={"source": "elsewhere", "name": "mine"})
    for seed in range(6):
        mutation = mutate(parent, seed, space=SPACE, mix={"set_repeat": 1})  # never inside: a hole must change
        assert (mutation.network.name, mutation.network.source) == ("mine", "elsewhere")
        assert mutation.edits == difference(parent, mutation.network)


def test_a_space_that_cannot_tell_holds_nothing() -> None:
    class Unsure:
        name = "s"

        def contains(self, network: Network) -> bool:
            raise LimitError("the template can be matched in too many ways")

    tries = Tries(net("3x3 8"), Unsure())  # type: ignore[arg-type]
    assert not tries.will_do(net("5x5 8"))
    assert "the space 's' cannot tell whether it holds it" in str(tries.error("none"))


# ------------------------------------------------------------------------------------------------------------- the mix


def test_a_mix_may_come_from_a_file() -> None:
    mix = read_yaml("set_factor: 0.5  # of 7x7\nset_width: 0\n")
    assert mutate(net("7x7 8"), 0, mix=mix).edit.name == "set_factor"


def test_the_same_seed_gives_the_same_mutation() -> None:
    network = ins.load("inception_v3")
    first = [mutate(network, seed) for seed in range(20)]
    assert first == [mutate(network, seed) for seed in range(20)]
    assert len({str(mutation.edit) for mutation in first}) > 15


def test_the_mix_is_honoured() -> None:
    network, rng = ins.load("inception_v4"), random.Random(6)
    mix = {"set_width": 4, "set_kernel": 3, "drop_branch": 2.0, "merge": 1, "set_scale": 0}
    drawn = Counter(mutate(network, rng, mix=mix).edit.name for _ in range(500))
    chi_square = sum((drawn[name] - 50 * weight) ** 2 / (50 * weight) for name, weight in mix.items() if weight)
    assert chi_square < 16.3  # three degrees of freedom, one in a thousand
    assert set(drawn) == set(mix) - {"set_scale"}


def test_the_default_mix_draws_nearly_every_kind() -> None:
    drawn: Counter[str] = Counter()
    for name in ("inception_v4", "inception_resnet_v2"):
        network, rng = ins.load(name), random.Random(7)
        drawn.update(mutate(network, rng).edit.name for _ in range(500))
    assert set(drawn) == set(DEFAULT_MIX)
    assert set(DEFAULT_MIX) <= set(EDITS)


def test_what_is_taken_out_of_a_repeat_changes() -> None:
    network = ins.load("inception_v4")
    mix = {"untie_repeat": 1, "untie_use": 1}
    for seed in range(30):
        mutation = mutate(network, seed, mix=mix)
        assert mutation.edit.name in ("untie_repeat", "untie_use")
        assert ins.arch_id(mutation.network) != ins.arch_id(network)


def test_isomorphic_edits_are_made_when_they_may_be() -> None:
    network = net("{concat: [1x1 8, 3x3 8]}")
    mix = {"reorder_branches": 1}
    assert ins.arch_id(mutate(network, 0, mix=mix, different=False).network) == ins.arch_id(network)
    with pytest.raises(EditError, match="it is the same architecture"):
        mutate(network, 0, mix=mix)


def test_mistakes_are_told() -> None:
    network = net("3x3 8")
    with pytest.raises(UnknownNameError, match=r"unknown edit, got 'set_kernle'.*did you mean 'set_kernel'"):
        mutate(network, 0, mix={"set_kernle": 1})
    with pytest.raises(UnknownNameError, match="did you mean 'merge'"):
        ins.edits_of(network, ["merg"])
    with pytest.raises(EditError, match=r"mix\.merge: a weight is a finite number, 0 or more, got -1"):
        mutate(network, 0, mix={"merge": -1})
    with pytest.raises(EditError, match="a weight is a finite number"):
        mutate(network, 0, mix={"merge": float("nan")})
    with pytest.raises(EditError, match="no edit with a weight above 0"):
        mutate(network, 0, mix={"merge": 0})
    with pytest.raises(EditError, match="the network has no place for it"):
        mutate(network, 0, mix={"set_pool": 1})
    with pytest.raises(EditError, match="shapes do not fit"):
        mutate(net("{block: {skip: add, body: 3x3 8}}"), 0, mix={"set_width": 1})


# ---------------------------------------------------------------------------------------------------------- documents


def nested(levels: int) -> Network:
    """Concats in concats, each a step of the tree and two levels of the document."""
    step: AnyStep = Conv(kernel=(3, 3), width=8)
    for _ in range(levels):
        step = concat(Conv(kernel=(1, 1), width=1), step)
    return remake(net("3x3 8"), stages={"a": step})


def test_what_could_not_be_read_back_is_no_mutation() -> None:
    assert why_not(nested(20)) is None
    reason = why_not(nested(31))
    assert reason is not None
    assert "the document would not be read back" in reason
    deep = next(nested(levels) for levels in range(30, 20, -1) if why_not(nested(levels)) is None)
    for seed in range(4):
        child = mutate(deep, seed, mix={"toggle_residual": 2, "set_width": 1}).network
        assert parse_network(text(child)) == child


def test_a_long_document_is_written_and_read_to_know() -> None:
    network = net("{concat: [" + ", ".join(["1x1 1"] * 5500) + "]}", input="1x5x5")
    assert not surely_readable(network)
    check(network, mutate(network, 0, mix={"set_width": 1}))
