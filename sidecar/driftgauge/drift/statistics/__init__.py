"""Two-sample statistics: distances, p-values, corrections, effect sizes, and bounds for finite samples.

Each function takes arrays, most of them sorted, and knows nothing of windows, features or rules.
"""
