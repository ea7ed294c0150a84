"""A Kustomize base with the chart's default output: `python -m charts.kustomize` writes what comes from the chart.

The files `kustomization.yaml` are written by hand, except that of the dashboards.
"""
