"""The only importer of onnxruntime: knows the model files, and opens them after asking the policy."""

from classpulse.inference.catalogue import entries, install_yunet
from classpulse.inference.contract import Contract, InputContract
from classpulse.inference.model import Model, has_int8_instructions, open_model

__all__ = ["Contract", "InputContract", "Model", "entries", "has_int8_instructions", "install_yunet", "open_model"]
