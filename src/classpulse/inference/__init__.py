"""The only importer of onnxruntime: opens model files, and asks the policy before it does."""

from classpulse.inference.contract import Contract, InputContract
from classpulse.inference.model import Model, has_int8_instructions, open_model

__all__ = ["Contract", "InputContract", "Model", "has_int8_instructions", "open_model"]
