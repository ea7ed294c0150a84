"""What the statistics promise, measured: false alarms, delay, peers' rules, real data, and the cost of a look.

`python -m benchmarks.statistics` prints the tables of docs/statistics.md; with `--write docs/statistics.md` it puts
them between that file's marks. driftgauge is simulated through its own functions (`engine`); peers' decision rules are
written anew from their sources (`peers`), as their packages' defaults have them, without their services.
"""
