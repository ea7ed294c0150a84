"""CloudEvents of an inference: parsed with the SDK, or directly if KServe's agent wrote them."""
