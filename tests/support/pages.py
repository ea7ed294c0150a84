"""Pages of metrics as model servers serve them."""

import gzip

PYTHON_SERVER = b"""\
# HELP python_info Python platform information
# TYPE python_info gauge
python_info{implementation="CPython",major="3",minor="11",patchlevel="7",version="3.11.7"} 1.0
# HELP process_resident_memory_bytes Resident memory size in bytes.
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 4.2e+07
# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 7.25
# HELP request_predict_seconds predict request latency
# TYPE request_predict_seconds histogram
request_predict_seconds_bucket{le="0.1",model_name="wine"} 3.0
request_predict_seconds_bucket{le="+Inf",model_name="wine"} 4.0
request_predict_seconds_count{model_name="wine"} 4.0
request_predict_seconds_sum{model_name="wine"} 0.9
"""
"""A shortened page of a KServe Python server, with families of the process that driftgauge has too."""

UNTYPED = b'loads_total{model="wine",note="a \\"b\\" \\\\ c"} 3 1700000000000\nqueue_depth 2\n'
"""Families without HELP and TYPE, as older servers have; the format calls them untyped."""


def page_response(page: bytes, content_type: str = "text/plain; version=0.0.4", *headers: str) -> bytes:
    """The response whose body is a page."""
    lines = ["HTTP/1.1 200 OK", f"Content-Type: {content_type}", f"Content-Length: {len(page)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + page


def packed_response(page: bytes) -> bytes:
    """The same response, compressed with gzip."""
    return page_response(gzip.compress(page, mtime=0), "text/plain; version=0.0.4", "Content-Encoding: gzip")
