"""The configuration: `options` declares, `load` reads, `environment` knows what is really ours."""
