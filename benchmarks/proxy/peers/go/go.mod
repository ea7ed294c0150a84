module driftgauge.invalid/benchmarks/reverseproxy

go 1.22
