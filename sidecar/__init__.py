"""driftgauge: watches models served by KServe and says when their data have changed.

The house, from the street to the ground floor; an import only ever goes downward:

    __main__, cli        the command line
    app | check          the composition root; the `check` command
    proxy | receiver     the two doors: in the predictor pod, or behind the logger's URL
    admin                the third, on a port of its own: metrics, health, the newest report
    pipeline | pairing   payload -> ring; request + response -> latency
    monitor              ring -> gauge, on a clock
    storage | reference | metrics | config
                         the rooms with a foot outside: Redis, files, Prometheus, the environment
    features | models    pure: tensors -> rows of the reference's columns; the capped set of models
    protocol | drift     pure: bytes -> values; numpy in, numbers out
    payload | errors     pure: what every room speaks of

A payload enters by either door and takes one path: `offer`, a bounded queue, the pipeline, the ring.
The monitor reads the ring on its clock, evaluates each window off the event loop, and publishes.
Nothing between the client's bytes and the model's bytes waits for any of it.
"""

__version__ = "0.1.0"
