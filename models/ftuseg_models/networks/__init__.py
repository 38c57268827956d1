"""The networks in PyTorch: their architectures, their pretrained weights, and how they are run on a picture."""
