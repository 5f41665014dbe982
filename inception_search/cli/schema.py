"""``inception-search schema``: JSON Schemas of the documents, for completion and validation in editors."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from inception_search.errors import ConfigError


class Kind(StrEnum):
    """The kinds of documents."""

    network = "network"
    space = "space"
    study = "study"


def schema(
    kind: Annotated[Kind, typer.Argument(help="Kind of document")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write. [default: standard output]")] = None,
) -> None:
    """Print the JSON Schema of network, space or study documents.

    An editor with a YAML language server completes and validates a document that begins with the line
    "# yaml-language-server: $schema=network.schema.json".
    """
    text = schema_text(kind)
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", path="--out", found=str(out)) from None


def schema_text(kind: Kind) -> str:
    """The schema of one kind as it is committed in ``search_spaces/``."""
    return json.dumps(_schema(kind), indent=1, sort_keys=True) + "\n"


def _schema(kind: Kind) -> dict[str, Any]:
    if kind is Kind.network:
        from inception_search.spec.documents.json_schema import network_schema

        return network_schema()
    if kind is Kind.space:
        from inception_search.space.json_schema import space_schema

        return space_schema()
    from inception_search.study.json_schema import study_schema

    return study_schema()
