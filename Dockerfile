# A static binary in an otherwise empty image. `.ci/image` builds and tries it.
#
#   docker build -t hirempire-emulator .
#   docker run --rm -p 127.0.0.1:8080:8080 -v "$PWD/stories:/scenarios:ro" hirempire-emulator

FROM --platform=$BUILDPLATFORM docker.io/library/golang:1.26 AS build
WORKDIR /src

# Dependencies change less often than code: they are a layer of their own.
ARG GOPROXY
COPY go.mod go.sum ./
RUN go mod download

COPY . .
ARG TARGETOS TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
	go build -trimpath -ldflags '-s -w' -o /image/usr/local/bin/hirempire-emulator ./cmd/hirempire-emulator
# They are read at the start, and are empty when nothing is mounted there.
RUN mkdir /image/scenarios /image/fixtures

FROM scratch
ARG VERSION=devel
LABEL org.opencontainers.image.title="hirempire-emulator" \
	org.opencontainers.image.description="A local stand-in for the webhook API of the recruiting platform Hirempire" \
	org.opencontainers.image.source="https://github.com/hirempire-emulator/hirempire-emulator" \
	org.opencontainers.image.version="$VERSION"

# For consumers that are called by https.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /image/ /

# A number, so that an orchestrator can tell that it is not root.
USER 65532:65532
ENV HIREMPIRE_EMULATOR_ADDR=0.0.0.0:8080 \
	HIREMPIRE_EMULATOR_SCENARIOS=/scenarios \
	HIREMPIRE_EMULATOR_FIXTURES=/fixtures
VOLUME ["/scenarios", "/fixtures"]
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["/usr/local/bin/hirempire-emulator", "ready"]
ENTRYPOINT ["/usr/local/bin/hirempire-emulator"]
