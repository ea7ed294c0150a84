"""Events out: a CloudEvent for each change of a verdict, kept until it is delivered."""
