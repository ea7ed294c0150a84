"""The loop closed: drift is detected, an event starts a retraining, and a gate lets the new model take over.

    __main__       options, signals, exit code
    loop           the five steps, in order: detect, alert, diagnose, retrain, deploy
    fleet          the programs that run: Redis, a splitter, the receiver, and a model server and driftgauge for each
                   revision
    clients        wines -> requests and late grades; whether a revision has found drift
    wines          which wines each model learns from, and which it meets later
    loop_screen    what is printed
    receiver       a program: takes CloudEvents, and starts a command once
    pipeline       that command: export, training, reference
    training       a program: exported rows -> a model, and the rows of its reference
    grader         a program: the server of a trained model
    splitter       a program: sends a share of the requests to the canary
    manifests      the same for Kubernetes

It uses driftgauge as any user does, through its command line and its ports, and imports nothing from it. What it shares
with `examples.demo` is how programs are started and wines are sent.
"""
