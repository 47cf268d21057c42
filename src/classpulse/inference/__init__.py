"""The only importer of onnxruntime: knows the model files, and opens them after asking the policy."""

from classpulse.inference.catalogue import Entry, entries
from classpulse.inference.contract import Contract, InputContract
from classpulse.inference.downloads import DOWNLOADS, install
from classpulse.inference.model import Model, Network, has_int8_instructions, open_model

__all__ = [
    "DOWNLOADS",
    "Contract",
    "Entry",
    "InputContract",
    "Model",
    "Network",
    "entries",
    "has_int8_instructions",
    "install",
    "open_model",
]
