"""The machines and versions the study ran with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inception_search.report.html import table
from inception_search.report.material import Material

UNKNOWN = "not recorded"
FIRST = ("from trial", "system", "processor", "cores", "device", "python", "torch", "optuna", "inception-search")


def environment_section(material: Material) -> str:
    """A column for each environment, the first one first."""
    known = material.environments or [_of_old(material.study)]
    names = list(dict.fromkeys((*FIRST, *(name for each in known for name in each))))
    if len(known) == 1:
        names.remove("from trial")
    columns = ("", *(["Value"] if len(known) == 1 else [_since(each) for each in known]))
    rows = [(name, *(each.get(name, UNKNOWN) for each in known)) for name in names]
    about = "What the search ran with." if len(known) == 1 else "What the search ran with, and went on with."
    return table(about, columns, rows) + _attached(material)


def _since(environment: Mapping[str, str]) -> str:
    return f"From trial {environment.get('from trial', '?')}"


def _of_old(study: Mapping[str, Any]) -> dict[str, str]:
    """What studies wrote down before they had a file for it."""
    facts = study.get("facts")
    facts = facts if isinstance(facts, Mapping) else {}
    versions = facts.get("versions")
    known = {str(name): str(version) for name, version in versions.items()} if isinstance(versions, Mapping) else {}
    return {**({"device": str(facts["device"])} if "device" in facts else {}), **known}


def _attached(material: Material) -> str:
    """Other devices or versions that records name: attached workers may be elsewhere."""
    devices = _distinct([record.device for record in material.records if record.device])
    if len(devices) < 2:
        return ""
    return table("Devices named in the records.", ("Device", "Trials#"), devices)


def _distinct(values: Sequence[str]) -> list[tuple[str, str]]:
    return [(value, str(values.count(value))) for value in sorted(set(values))]
