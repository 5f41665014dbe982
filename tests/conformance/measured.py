"""The measured figures of every implementation, also of those that cannot be installed here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FIGURES: dict[str, Any] = json.loads(Path(__file__).with_name("measured.json").read_text(encoding="utf-8"))
MEASURED: dict[str, dict[str, Any]] = FIGURES["measured"]  # implementation.network: counted by running it
PAPER_SPECS: dict[str, dict[str, Any]] = FIGURES["paper_specs"]  # network@dialect: counted on its graph
