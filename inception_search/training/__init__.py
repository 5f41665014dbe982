"""Training of one compiled network on resident data, and its evaluation.

Start at :func:`inception_search.training.trainer.train`; :class:`inception_search.training.fidelity.Fidelity`
says how long and how. Nothing here knows of trials or studies, and nothing here looks at test images.
"""
