"""Latency on the machine that networks are for, and how far sums of ops are from whole networks there."""

from __future__ import annotations

from inception_search.measures.device_table import Compared
from inception_search.numbers import counted
from inception_search.report.blocks import Block, Prose, Table
from inception_search.report.latency_facts import LatencyFacts
from inception_search.report.material import Material


def latency_section(material: Material) -> list[Block]:
    """Sums of ops beside whole networks; nothing for a study that measured latency on its own device."""
    facts = material.latency
    if facts is None:
        return []
    images = "one image" if facts.batch_size == 1 else f"a batch of {facts.batch_size} images"
    words = f"Latencies of this study are those of {facts.target}, for {images}. "
    words += f"{counted(facts.ops, 'op')} were timed there. An op that was not is estimated from the others of its "
    words += f"kind, with a median error of {100 * facts.estimate_error:.0f} %. "
    if facts.timed_share is not None:
        words += f"Timed ops make {100 * facts.timed_share:.0f} % of the latency of the best network. "
    if facts.networks:
        words += (
            f"A latency is the sum of the ops, multiplied by {facts.scale:.3g}: the median ratio of whole networks "
        )
        words += "to the sums of their ops."
    else:
        words += "No whole network was timed there, so sums of ops are not scaled."
    return [Prose(words), *_networks(facts)]


def _networks(facts: LatencyFacts) -> list[Block]:
    if not facts.networks:
        return []
    columns = ("Network", "Whole, ms#", "Sum of ops, ms#", "Difference#", "Scaled sum, ms#", "Difference#")
    caption = "Networks that were timed as a whole. Each sum is scaled by the ratio of the other networks."
    return [Table(caption, columns, [_row(each) for each in facts.networks])]


def _row(each: Compared) -> tuple[str, ...]:
    sum_ = (f"{each.ops:.3g}", _percent(each.ops / each.whole))
    scaled = ("", "") if each.scaled is None else (f"{each.scaled:.3g}", _percent(each.scaled / each.whole))
    return each.name, f"{each.whole:.3g}", *sum_, *scaled


def _percent(ratio: float) -> str:
    return f"{100 * (ratio - 1):+.0f} %".replace("-", "−")
