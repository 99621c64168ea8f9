# syntax=docker/dockerfile:1
# The tool with the Helm engine and the Kubernetes schemas.
# What runs has no pip. Versions are pinned; let Renovate or Dependabot add digests (@sha256:...) and keep both up to date.
FROM python:3.13-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY toolkit toolkit
COPY chart-skeleton chart-skeleton
COPY envs envs
COPY pipelines pipelines
RUN python -m venv --without-pip /opt/gitops-tk \
    && pip --python /opt/gitops-tk/bin/python install --no-cache-dir './[all]'

FROM python:3.13-slim-bookworm
# Debian's own updates are wanted here: git's version is not pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 65532 --create-home gitops-tk
COPY --from=build /opt/gitops-tk /opt/gitops-tk
ENV PATH="/opt/gitops-tk/bin:${PATH}"
# As a number: Kubernetes cannot tell from a name that it is not root.
USER 65532:65532
WORKDIR /repository
ENTRYPOINT ["gitops-tk"]
