"""The options: declared in `options`, read by `load`, documented by `documents`."""
