"""The demo: red wines go to a real model through driftgauge, then 250 strong ones in one request, then white wines.

    __main__       options, signals, exit code
    play           the three parts of the demo, in order
    stage          the programs that run: model server, driftgauge, optionally Redis
    show           what the demo prints
    verdict        checks that everything went as expected: the demo is also a test
    traffic        rows -> requests, to the proxy or as KServe's agent sends them
    gauges         /metrics -> numbers
    children       starts, watches and stops programs
    ports          the ports of all programs
    polling        waits with a deadline
    model_server   the model server, a separate program
    serving        how a server listens until it is stopped
    forest | inference | data
                   the model; rows <-> bytes of the protocols; rows <- files

It uses driftgauge as any user does, through its command line and its ports, and imports nothing from it.
"""
