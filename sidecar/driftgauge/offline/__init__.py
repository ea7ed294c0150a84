"""Tests of datasets in memory or in files, for notebooks, pipelines and the command `check`."""
