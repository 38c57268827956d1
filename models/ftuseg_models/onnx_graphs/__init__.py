"""The networks as ONNX graphs: converted from PyTorch, stored in fp16 or int8, and run with ONNX Runtime."""
