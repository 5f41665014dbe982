"""The stages of ``benchmarks/gpu.py``, each run in its own process by ``python -m benchmarks.gpu_stages.run``."""
