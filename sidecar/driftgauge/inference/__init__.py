"""The values that all packages share: payloads, the names of models, and which models are known."""
