"""Load and model of native programs, wrk and nginx: they cost little, so that the proxy between them is never idle."""
