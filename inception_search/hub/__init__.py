"""Models on the Hugging Face Hub: upload with a model card, and download by ``hf://user/name``."""
