"""From the bytes of the inference protocols to tensors."""
