"""Features: images as a pretrained network sees them, written to a file that is data like any other.

Here networks are loaded and asked; nothing trains. It needs the extra ``clustlab[features]``: networks, their weights
and how images are prepared for them come from Hugging Face's transformers. Weights are read from safetensors only, and
code that lies beside them is never run.
"""

from clustlab.features.extraction import extract
from clustlab.features.network import NETWORKS

__all__ = ["NETWORKS", "extract"]
