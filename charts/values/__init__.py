"""The chart's values as a table: `python -m charts.values` writes docs/values.md from the schema and the defaults.

It also writes the options of driftgauge into the schema, so that their limits and descriptions are the same.
"""
