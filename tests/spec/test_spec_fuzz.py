# ruff: noqa: E501 (tables: one row a line)
"""Whatever the text, only our own errors come out; what is too large is refused before it is allocated."""

from __future__ import annotations

import random
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inception_search.errors import DocumentError, InceptionSearchError
from inception_search.lowering import lower
from inception_search.space.space import Space
from inception_search.spec.documents.files import shipped_folder
from inception_search.spec.documents.parse import parse_network, parse_step
from inception_search.spec.identity.arch_id import arch_id
from inception_search.spec.identity.normal_form import normal
from inception_search.spec.network import Network
from tests.bounds import PATIENCE
from tests.space.small import EVERY_HOLE

NETWORKS = [path.read_text() for path in sorted((shipped_folder() / "canonical").glob("*.yaml"))]
SPACES = [path.read_text() for path in sorted(shipped_folder().glob("*.yaml"))]
SMALL = """\
schema: inception-search/network
version: 1
name: n
input: 3x9x9
conv_defaults: {norm: {eps: 0.001}, act: relu}
blocks:
  m: {concat: [1x1 8, [1x1 4, 3x3 4>6 row_col], {block: {skip: add, scale: 0.1, project: linear, body: 3x3 4}}]}
stages:
  stem: [3x3 8 s2, lrn, {conv: {kernel: [1, 3], width: 8, groups: 2, padding: [0, 1]}}]
  body: 2 x m
  pool: {pool: {mode: avg, count_pad: true, ceil: false}}
head: {pool: avg, hidden: [8], dropout: 0.2, classes: 3}
aux:
  x: {after: stem, body: [avg 3x3 valid, 1x1 4], weight: 0.3}
"""
# Words that mean something somewhere, to be put where they mean nothing.
TOKENS = [
    "null", "true", "0", "-1", "1e999", "10000000000000000000", "relu", "conv", "chain", "concat", "block", "repeat",
    "absent", "identity", "use", "kind", "body", "steps", "branches", "kernel", "{}", "[]", "''", "$choice", "$int",
    "$float", "$use", "$name", "[[1]]", "{a: b}", "stages", "module", "7 x", "3x3", "same", "split", "&a", "*a", "!!int",
    "<<", ":", "- ", "#", "\t", "\0", "'", '"', "|", ">", "\ud800", "\u2028", "1.5", "2 x m", "x", "after", "weight",
]  # fmt: skip


def use_up(network: Network) -> None:
    """Everything that is done with a network short of training it."""
    lower(network).cost()
    arch_id(network)


def read_everything(text: str) -> None:
    """Every reader on ``text``; raises only what is not one of our errors."""
    for read in (lambda: use_up(parse_network(text)), lambda: normal(parse_step(text)), lambda: use_space(text)):
        try:
            read()
        except InceptionSearchError as error:
            str(error).encode("utf-8")  # printable anywhere


def use_space(text: str) -> None:
    space = Space(text, "fuzz.yaml")
    assert space.size >= 1
    for seed in range(2):
        network = space.decode(space.sample(seed))
        assert space.decode(space.encode(network)) == network
    assert len(space.fixed_points) == len(space.document.contains)


def mutated(text: str, rng: random.Random) -> str:
    """``text`` with a few characters, lines or words changed."""
    for _ in range(rng.randint(1, 3)):
        match rng.randrange(7):
            case 0:  # a character becomes another
                at = rng.randrange(len(text) + 1)
                text = text[:at] + chr(rng.choice((rng.randrange(128), rng.randrange(0x3000)))) + text[at + 1 :]
            case 1:  # a line is dropped, doubled or moved
                lines = text.split("\n")
                line = lines.pop(rng.randrange(len(lines)))
                for _ in range(rng.randrange(3)):
                    lines.insert(rng.randrange(len(lines) + 1), line)
                text = "\n".join(lines)
            case 2:  # a line is indented otherwise
                lines = text.split("\n")
                at = rng.randrange(len(lines))
                lines[at] = rng.choice((" ", "  ", "\t")) + lines[at] if rng.random() < 0.5 else lines[at].lstrip()
                text = "\n".join(lines)
            case 3:  # it ends early
                text = text[: rng.randrange(len(text) + 1)]
            case 4 | 5:  # a word becomes another, one from the text or one that means something
                words = list(re.finditer(r"[\w.$+-]+", text))
                if words:
                    word = rng.choice(words)
                    other = rng.choice(TOKENS) if rng.random() < 0.5 else rng.choice(words)[0]
                    text = text[: word.start()] + other + text[word.end() :]
            case _:  # a flow collection becomes a word, or a word one
                groups = list(re.finditer(r"\{[^{}]*\}|\[[^\[\]]*\]", text))
                if groups:
                    group = rng.choice(groups)
                    text = text[: group.start()] + rng.choice(TOKENS) + text[group.end() :]
    return text


@given(st.text(max_size=200))
def test_random_text_is_read_or_refused(text: str) -> None:
    read_everything(text)


@given(st.lists(st.sampled_from(TOKENS), max_size=25).map(" ".join), st.sampled_from(("stages: {a: ", "blocks: ", "")))
def test_random_words_are_read_or_refused(words: str, start: str) -> None:
    read_everything("schema: inception-search/network\nversion: 1\nname: n\n" + start + words)


@given(st.sampled_from((SMALL, EVERY_HOLE)), st.integers(0, 2**32))
def test_mutated_small_documents_are_read_or_refused(document: str, seed: int) -> None:
    read_everything(mutated(document, random.Random(seed)))


@settings(max_examples=15, deadline=None)
@given(st.sampled_from((*NETWORKS, *SPACES)), st.integers(0, 2**32))
def test_mutated_shipped_documents_are_read_or_refused(document: str, seed: int) -> None:
    read_everything(mutated(document, random.Random(seed)))


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_ten_thousand_mutated_documents_are_read_or_refused(block: int) -> None:
    for seed in range(block * 1_000, (block + 1) * 1_000):
        rng = random.Random(seed)
        read_everything(mutated(rng.choice((SMALL, EVERY_HOLE, *SPACES)), rng))


HEAD = "schema: inception-search/network\\nversion: 1\\nname: n\\n"
BOMBS = [
    "'a: ' + 'x' * 100_000_000",  # 100 MB of text
    "'[' * 400_000",  # nesting
    "'a: &a [x,x,x,x,x,x,x,x]\\n' + ''.join(f'b{i}: &b{i} [' + '*a,' * 9 + ']\\n' for i in range(9))",  # a billion laughs
    f"'{HEAD}stages: {{a: 3x3 1000000000}}'",  # 10^9 filters
    f"'{HEAD}stages: {{a: 1000000000 x relu}}'",  # 10^9 steps
    f"'{HEAD}stages: {{a: ' + '{{repeat: {{times: 1000, body: ' * 9 + 'relu' + '}}}}' * 9 + '}}'",  # 10^27 steps
    f"'{HEAD}blocks: {{b0: relu' + ''.join(f', b{{i}}: [b{{i-1}}, b{{i-1}}]' for i in range(1, 60)) + '}}\\nstages: {{a: b59}}'",
    f"'{HEAD}stages: {{a: [' + 'relu,' * 60_000 + ']}}'",  # a long list
    f"'{HEAD}stages: {{a: {{conv: {{kernel: 3, width: 1' + '0' * 5000 + '}}}}}}'",  # a number of 5,000 digits
]


def test_documents_that_would_fill_the_memory_are_refused_within_a_gigabyte() -> None:
    script = (
        "import resource, sys\n"
        "from inception_search.errors import DocumentError\n"
        "from inception_search.spec.documents.parse import parse_network\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\n"
        "refused = 0\n"
        f"for text in [{', '.join(BOMBS)}]:\n"
        "    try:\n"
        "        parse_network(text)\n"
        "    except DocumentError:\n"
        "        refused += 1\n"
        "print(refused)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.stdout.strip() == str(len(BOMBS)), done.stderr[-2000:]


def test_a_space_that_would_write_out_without_end_is_refused() -> None:
    head = "schema: inception-search/space\nversion: 1\nname: s\n"
    many = "".join(f"  d{i}: [{', '.join([f'{{$use: d{i - 1}}}'] * 20)}]\n" for i in range(1, 15))
    line = "".join(f"  d{i}: {{$use: d{i - 1}}}\n" for i in range(1, 3_000))
    for define, last in ((many, 14), (line, 2_999)):
        text = f"{head}define:\n  d0: relu\n{define}network: {{name: n, stages: {{a: {{$use: d{last}}}}}}}\n"
        with pytest.raises(DocumentError, match="too large or too deep after inserting every"):
            Space(text)
