#!/bin/sh
# A step of a pipeline: promote the canary, roll it back, or stop for a person.
# Needs driftgauge, kubectl, and the admin port of a pod or of the logger in ADMIN_URL.
set -u
driftgauge compare \
  --inference-service "${SERVICE:?}" --namespace "${NAMESPACE:?}" \
  --revision "${REVISION:?}" --against stable \
  --fail-on drift,errors,latency --wait "${WAIT:-10m}" --admin-url "${ADMIN_URL:-http://127.0.0.1:9464}"
case $? in
  0) echo "promote ${REVISION}" ;;
  1) echo "roll back ${REVISION}"; exit 1 ;;
  *) echo "nothing is known of ${REVISION}: a person decides"; exit 2 ;;
esac
