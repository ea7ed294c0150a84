# The image of both modes. `make base-digest` takes the newest base; --build-arg BASE_IMAGE=... another one, with Python >= 3.11 and venv.
# References in Parquet need pyarrow, which makes the image much larger: --build-arg PARQUET=true
ARG BASE_IMAGE=docker.io/library/python:3.11-slim-trixie@sha256:45037981b62b34b44602584fccbc4d884d5f7dc92c7ee86bb38a698a79fe1e51
# It compiles the data plane, and nothing of it but that is in the image. A base with gcc saves the installation of it.
ARG BUILD_IMAGE=${BASE_IMAGE}
ARG PARQUET=false

# ---- build: driftgauge, with its data plane compiled, and its locked packages in one virtual environment ----
FROM ${BUILD_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src

# hadolint ignore=DL3008 # the compiler is that of the base's Debian, whichever it is
RUN command -v gcc >/dev/null \
    || { apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*; }

# pip and the compiler are in an environment of their own, so that driftgauge's has none; it sees driftgauge's, for the types.
COPY .ci/locks/build.lock ./
RUN python3 -m venv /opt/build \
    && python3 -m venv --without-pip /opt/driftgauge \
    && /opt/build/bin/pip install --require-hashes --no-deps --requirement build.lock \
    && for site in /opt/driftgauge/lib/python3*/site-packages; do echo "${site}" > "/opt/build/lib/$(basename "$(dirname "${site}")")/site-packages/runtime.pth"; done

COPY requirements/runtime.lock ./
RUN /opt/build/bin/pip --python /opt/driftgauge/bin/python install --require-hashes --no-deps --requirement runtime.lock

COPY pyproject.toml README.md LICENSE ./
COPY sidecar sidecar
RUN HATCH_BUILD_HOOK_ENABLE_MYPYC=true /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/build/bin/pip --python /opt/driftgauge/bin/python install --no-deps --no-index dist/*.whl \
    && install -m 0755 sidecar/healthcheck.sh /opt/driftgauge/bin/driftgauge-healthcheck

# parquet.lock is runtime.lock with pyarrow.
ARG PARQUET
COPY requirements/parquet.lock ./
RUN case "${PARQUET}" in \
      true) /opt/build/bin/pip --python /opt/driftgauge/bin/python install --require-hashes --no-deps --requirement parquet.lock ;; \
      false) ;; \
      *) echo "PARQUET must be true or false, not '${PARQUET}'" >&2; exit 1 ;; \
    esac

# ---- run: the same base, that environment and nothing else ----
FROM ${BASE_IMAGE}
ARG BASE_IMAGE
ARG PARQUET
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="driftgauge" \
      org.opencontainers.image.description="Request, error, latency and data-drift metrics for models served by KServe" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${BASE_IMAGE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      io.driftgauge.parquet="${PARQUET}"

COPY --from=build /opt/driftgauge /opt/driftgauge

# pip has compiled every module; at run time the root file system may be read-only.
ENV PATH=/opt/driftgauge/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

# Kubernetes' runAsNonRoot checks a number; it cannot check a name.
USER 65532:65532
WORKDIR /
EXPOSE 8080 9464
# bash and timeout are in every Debian. The check starts no Python: it needs 3 ms of CPU time, `driftgauge healthcheck` 300 ms.
# The port is that of DRIFTGAUGE_ADMIN_PORT; for one that a flag or a file sets: docker run --health-cmd 'driftgauge healthcheck --admin-port ...'
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["timeout", "2", "driftgauge-healthcheck"]
ENTRYPOINT ["/opt/driftgauge/bin/driftgauge"]
CMD ["--help"]
