"""Drift: numpy arrays in, a report out. The only other library is `scipy.special`.

From a window to a verdict:

    window            rows of a stream; `rank_cache` looks up each value's rank in the reference once
    -> Measurement    `measure`: one statistic of one feature, and how many independent rows it rests on
    -> DriftTestResult   `rule.judge`: statistic against threshold, by false-alarm budget or by p-value
    -> FeatureDrift   `window_tester`: all tests of one feature, effect sizes, histogram, one sentence;
                         drift, no drift, or `untested`: nothing could alarm (`reach`)
    -> DriftReport    `window_tester`: all features of the window

`stream_evaluator` does this for each new window of a stream, and feeds the rows that are new to the sequential
detector (package `detector`), whose evidence becomes one more test of each feature. Package `statistics` has the
distances, p-values and bounds that everything else uses; `profile` describes a reference's columns.
"""
