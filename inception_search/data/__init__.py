"""Image datasets as uint8 tensors in memory, and the loader that keeps them on the training device.

Start at :func:`inception_search.data.catalogue.load_data`, which returns a :class:`~.dataset.Dataset` for a name, and
:class:`inception_search.data.loader.DeviceData`, which makes batches of it. A new dataset is one file with a
``load`` function and one row in ``catalogue.DATASETS``.
"""
