"""Image datasets as uint8 tensors in memory, and the loader that keeps them on the training device.

Start at :func:`inception_search.data.catalogue.load_data` (a name to a :class:`~.dataset.Dataset`) and
:class:`inception_search.data.loader.DeviceData` (a dataset to batches). A new dataset is one file with a
``load`` function and one row in ``catalogue.DATASETS``.
"""
