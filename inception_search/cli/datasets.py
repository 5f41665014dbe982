"""What the datasets are, in a line each, for ``list`` (the table of loaders itself imports torch)."""

from __future__ import annotations

ABOUT = {
    "digits": "scikit-learn's 1,797 handwritten digits, upsampled to 16x16; nothing to download",
    "fashion_mnist": "70,000 grey 28x28 images of clothes; Debian's dataset-fashion-mnist, or its files in --data-root",
    "cifar10": "60,000 colour 32x32 images, in the published python or binary form; --data-root or --download",
    "image_folder": "a folder of folders of images, one per class (or train/, val/, test/ of those); --data-root",
}
