# docker build -t latentd .
# docker run -v ~/ComfyUI/models:/models:ro -v latentd:/var/lib/latentd -p 127.0.0.1:5555-5556:5555-5556 latentd
FROM node:20-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends cmake g++ make python3 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/latentd
COPY . .
# Builds the addon and dist/ as well; what only the build needs goes afterwards.
RUN npm ci && npm prune --omit=dev --ignore-scripts

FROM node:20-bookworm-slim
RUN useradd --system --create-home --home-dir /var/lib/latentd latentd
WORKDIR /var/lib/latentd
COPY --from=build /opt/latentd/package.json /opt/latentd/package.json
COPY --from=build /opt/latentd/node_modules /opt/latentd/node_modules
COPY --from=build /opt/latentd/build/Release /opt/latentd/build/Release
COPY --from=build /opt/latentd/dist /opt/latentd/dist
COPY --from=build /opt/latentd/data /opt/latentd/data
COPY --from=build /opt/latentd/graphs /opt/latentd/graphs
RUN ln -s /opt/latentd/dist/cli/main.js /usr/local/bin/latentd && chmod +x /opt/latentd/dist/cli/main.js
USER latentd
# Inside a container every address is open: publish the ports to 127.0.0.1, or give the daemon keys (LATENTD_CURVE_KEYS).
# `docker stop` waits for ten seconds unless told otherwise.
ENV LATENTD_MODELS=/models \
    LATENTD_REQ_ADDR=tcp://0.0.0.0:5555 \
    LATENTD_PUB_ADDR=tcp://0.0.0.0:5556 \
    LATENTD_GRACE_PERIOD=8s
VOLUME ["/models", "/var/lib/latentd"]
EXPOSE 5555 5556
HEALTHCHECK --interval=30s --timeout=6s CMD ["latentd", "status", "--req-addr", "tcp://127.0.0.1:5555"]
ENTRYPOINT ["latentd"]
CMD ["serve"]
