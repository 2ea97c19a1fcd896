# The image of every service and of the command line; which one it is, its command says. See deploy/README.md.
# Built and run on 2026-11-29, on a base made with debootstrap: docs/evidence/image.md.
#
# The tag names an exact version, that of package.json. A digest would go behind it (node:26.10.0-bookworm-slim@sha256:...):
# take it from your registry's answer once you have looked at what stands behind the tag. Another base, such as a registry's
# of your own, is given as --build-arg NODE_IMAGE=...: it has that Node, npm, and a user `node` of id 1000.
ARG NODE_IMAGE=node:26.10.0-bookworm-slim
FROM ${NODE_IMAGE} AS base
WORKDIR /srv/residency

# Manifests alone, so that a change of code does not install anew. What development needs is no edge here: testkit is not in
# the build context, and brings a test runner where a manifest names it.
FROM base AS manifests
COPY package.json package-lock.json ./
COPY packages packages
COPY services services
RUN find . -type f ! -name package.json ! -name package-lock.json -delete && npm pkg delete devDependencies --workspaces

FROM base AS dependencies
COPY --from=manifests /srv/residency ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

# TypeScript runs as it is written: what is copied is what runs. All of it belongs to root and is read only to who runs it.
FROM base
ENV NODE_ENV=production
COPY --from=dependencies /srv/residency ./
COPY LICENSE ./
COPY packages packages
COPY services services
COPY policy policy
COPY examples examples
# An empty volume takes its owner from the folder that it covers.
RUN ln -s /srv/residency/services/cli/bin/residency.js /usr/local/bin/residency \
  && install -d -o node -g node -m 0700 /var/lib/residency /var/lib/residency/private-keys /var/lib/residency/public-keys /var/lib/residency/ledger-key /var/lib/residency/checkpoints /var/lib/residency/reconciler /var/lib/residency/custodian
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "--eval", "fetch('http://127.0.0.1:' + (process.env.RESIDENCY_HTTP_PORT || process.env.RESIDENCY_PORT || 8080) + '/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# No shell in between: the signal to stop reaches the service itself.
# Without the first, SIGUSR1 opens a debugger until a service has begun.
ENTRYPOINT ["node", "--disable-sigusr1"]
CMD ["services/cli/bin/residency.js", "--help"]
