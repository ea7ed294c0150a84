"""The demo: red wines go to a real model through driftgauge, then white wines arrive.

    __main__       options, signals, exit code
    play           the acts, in order
    stage          what the acts need: model server, driftgauge, perhaps Redis
    show           what a person sees
    verdict        whether all went as it must: the demo is also a test
    traffic        rows -> requests, to the proxy or as KServe's agent does it
    gauges         /metrics -> numbers
    children       programs that are started, watched and ended
    patience       waiting with a deadline
    model_server   the model, a program of its own
    forest | inference | data
                   the model; rows <-> bytes of the protocols; rows <- files

It uses driftgauge as anyone does, by its command line and its ports, and imports nothing of it.
"""
