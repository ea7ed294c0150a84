"""The sequential detector: evidence of drift that grows row by row, and needs no window size.

`legendre` turns a value's rank in the reference into scores. `bets` turns scores into e-values: what a row multiplies
the evidence by. `detector` accumulates the evidence until it alarms. `dependence` estimates how many independent rows
a window is worth.
"""
