"""The sizes beyond which a document is refused before anything large is allocated."""

from __future__ import annotations

MAX_DOCUMENT_BYTES = 512 * 1024
MAX_DOCUMENT_DEPTH = 64
MAX_DOCUMENT_NODES = 20_000
MAX_SCALAR_LENGTH = 4_096

MAX_WIDTH = 65_536  # filters of one conv, features of one linear layer, classes
MAX_KERNEL = 255
MAX_IMAGE_SIDE = 16_384
MAX_REPEAT = 1_000
MAX_DAG_NODES = 16
MAX_DAG_INPUTS = 32  # inputs of one node
MAX_UNROLLED_STEPS = 10_000  # primitive steps after unrolling every repeat and block use
MAX_STEP_DEPTH = 64  # levels of nested steps, block uses included
MAX_TEMPLATE_NODES = 40_000  # nodes of a space's template after unrolling every $use
MAX_MANY = 256  # steps, branches or stages that one $many of a space stands for
MAX_USE_DEPTH = 16  # levels of nested definitions of a space
MAX_MATCHES = 50_000  # options tried to find the point of a network in a space
