"""driftgauge: watches models served by KServe and says when their data have changed.

The house, from the street to the ground floor; an import only ever goes downward:

    __main__, cli        the command line
    app | check | build | capture
                         the composition root; the commands on files
    show | comparison    what they share
    proxy | receiver     the two doors: in the predictor pod, or behind the logger's URL
    admin                the third, on a port of its own: metrics, health, the newest report as JSON and as a page
    pipeline | pairing   payload -> ring; request + response -> latency
    monitor              ring -> gauge, on a clock
    stores | views       which stores the options ask for; what the admin port draws on demand
    targets              what each stream is tested against
    baseline | evaluation
                         the first answers of a model; one look at one stream
    storage | reference | metrics | config | clients | background
                         the rooms with a foot outside: Redis, files, Prometheus, the environment, clients' connections,
                         threads
    features | models | page
                         pure: tensors -> rows; the capped sets of models and outputs; reports -> HTML
    protocol | drift | http1
                         pure: bytes -> tensors; numpy in, numbers out; bytes -> heads and bodies of HTTP/1.1
    payload | errors     pure: what every room speaks of

A payload enters by either door and takes one path: `offer`, a bounded queue, the pipeline, the ring.
The monitor reads the ring on its clock, evaluates each window off the event loop, and publishes.
Nothing between the client's bytes and the model's bytes waits for any of it.
"""

__version__ = "0.1.0"
