"""The stages of ``benchmarks/gpu.py``; each runs in a process of its own, by ``python -m benchmarks.gpu_stages.run``."""
