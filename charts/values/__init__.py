"""The chart's values as a table: `python -m charts.values` writes docs/values.md from the schema and the defaults."""
