"""Training of one compiled network on resident data, and its evaluation.

Start at :func:`inception_search.training.trainer.train`; :class:`inception_search.training.fidelity.Fidelity`
contains its options. This package is independent of trials and studies, and it never uses test images.
"""
