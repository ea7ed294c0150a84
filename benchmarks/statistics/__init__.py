"""Measurements of what the statistics promise: false alarms, delay, peers' rules, real data, cost of a look.

`python -m benchmarks.statistics` prints the tables of docs/statistics.md; with `--write docs/statistics.md` it writes
them between that file's marks. driftgauge is simulated through its own functions (`engine`). Peers' decision rules are
reimplemented from their sources (`peers`) with their packages' defaults; their services are not run.
"""
