# docker build -t latentd .
# docker run -v ~/ComfyUI/models:/models:ro -v latentd:/var/lib/latentd -p 127.0.0.1:8188:8188 -p 127.0.0.1:5555-5556:5555-5556 latentd
# With compose.yaml: docker compose up. For NVIDIA cards: Dockerfile.cuda.
FROM node:22-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends cmake g++ make python3 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/latentd
COPY . .
RUN npm ci && npm run pack:npm -- /packed

FROM node:22-bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ffmpeg \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home --home-dir /var/lib/latentd latentd
# The packages as npm has them; neither has a script, and nothing is fetched.
RUN --mount=from=build,source=/packed,target=/packed \
    npm install --global --ignore-scripts --no-audit --no-fund /packed/latentd-*.tgz \
 && npm cache clean --force
WORKDIR /var/lib/latentd
USER latentd
# Inside a container every address is open: publish the ports to 127.0.0.1, or give the daemon keys (LATENTD_CURVE_KEYS) and tokens
# (LATENTD_HTTP_TOKENS). `docker stop` waits for ten seconds unless told otherwise.
ENV LATENTD_MODELS=/models \
    LATENTD_REQ_ADDR=tcp://0.0.0.0:5555 \
    LATENTD_PUB_ADDR=tcp://0.0.0.0:5556 \
    LATENTD_HTTP=0.0.0.0:8188 \
    LATENTD_GRACE_PERIOD=8s
VOLUME ["/models", "/var/lib/latentd"]
EXPOSE 5555 5556 8188
HEALTHCHECK --interval=30s --timeout=6s CMD ["latentd", "status", "--req-addr", "tcp://127.0.0.1:5555"]
ENTRYPOINT ["latentd"]
CMD ["serve"]
