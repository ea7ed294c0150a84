#!/bin/bash
# The HEALTHCHECK of the image: exits with 0 if GET /healthz on the admin port returns 200, else with 1.
# bash does what `driftgauge healthcheck` does, without a start of Python (about 300 ms of CPU time, every ten seconds).
# It knows no time limit: `timeout` ends it where a server accepts the connection and is silent.
port=${DRIFTGAUGE_ADMIN_PORT:-9464}

# bash knows no TLS.
[ -z "${DRIFTGAUGE_TLS_CERT_FILE:-}" ] || exec driftgauge healthcheck

fail() { # REASON
  echo "driftgauge: not healthy on admin port $port: $1." \
    "The port is that of DRIFTGAUGE_ADMIN_PORT; a flag or a file with another port is not read here."
  exit 1
}

# The second address is that of a server with `host: "::"`.
{ exec 3<>"/dev/tcp/127.0.0.1/$port" || exec 3<>"/dev/tcp/::1/$port"; } 2>/dev/null || fail "no connection"
trap '' PIPE # a server that closes early is a missing response
printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3 2>/dev/null
read -r -u 3 _ status _ 2>/dev/null || fail "no response"
[ "$status" = 200 ] || fail "status code $status"
