"""Draws every shipped network and module into docs/gallery, and the page that shows them by paper.

python docs/gallery.py            write them anew;  --check: only say which have drifted
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import inception_search as ins
from inception_search.figures.draw import modules_of
from inception_search.figures.labels import count

FOLDER = Path(__file__).parent / "gallery"
# Paper and its networks, in the order of their dates.
PAPERS = (
    ("Network in Network", "Lin, Chen and Yan 2013", "1312.4400", ("nin_cifar10", "nin_imagenet")),
    ("Going deeper with convolutions (GoogLeNet)", "Szegedy et al. 2014", "1409.4842", ("inception_v1",)),
    ("Batch normalization", "Ioffe and Szegedy 2015", "1502.03167", ("bn_inception",)),
    ("Rethinking the Inception architecture", "Szegedy et al. 2015", "1512.00567", ("inception_v2", "inception_v3")),
    (
        "Inception-v4, Inception-ResNet and the impact of residual connections on learning",
        "Szegedy et al. 2016",
        "1602.07261",
        ("inception_v4", "inception_resnet_v1", "inception_resnet_v2"),
    ),
)
_LEAD = """# Gallery

Every shipped network on one page, and each of its modules as its paper draws it: upwards, in the paper's words and its
order of branches. 1x1 convolutions are yellow, spatial ones blue, factorised ones green, max pooling red, average
pooling orange, concatenations grey. `python docs/gallery.py` draws all of them anew;
`inception-search draw inception_v4.inception_a --style paper` draws one.
"""


def pictures() -> Iterator[tuple[str, str]]:
    """File names and what belongs in them: the pictures, then the page."""
    page = [_LEAD]
    for title, authors, number, networks in PAPERS:
        page.append(f"\n## {title}\n\n{authors}, arXiv {number}\n")
        for name in networks:
            network = ins.load(name)
            cost = ins.lower(network).cost()
            yield f"{name}.svg", ins.draw(network).svg
            page.append(f"\n### {name}\n\n{count(cost.params)} parameters, {count(cost.macs)} MACs.\n")
            page.append(f"\n![{name}, one box per stage]({name}.svg)\n")
            for names, step in modules_of(network):
                file = f"{name}.{names[0].replace('.', '_')}.svg"
                yield file, ins.draw(step, network=network, style="paper", title=", ".join(names)).svg
                page.append(f"![{name}: {', '.join(names)}]({file})\n")
    yield "README.md", "".join(page)


def main() -> int:
    """The number of drifted files with ``--check``, else 0."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing")
    check = parser.parse_args().check
    FOLDER.mkdir(exist_ok=True)
    made = dict(pictures())
    drifted = [name for name, text in made.items() if not _holds(FOLDER / name, text)]
    gone = [path for path in sorted(FOLDER.iterdir()) if path.name not in made]
    for name in [*drifted, *(path.name for path in gone)]:
        print(f"{name} {'has drifted' if check else 'written' if name in made else 'removed'}")
    if check:
        return len(drifted) + len(gone)
    for name in drifted:
        (FOLDER / name).write_text(made[name], encoding="utf-8")
    for path in gone:
        path.unlink()
    return 0


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
