FROM golang:1.26 AS build
ARG VERSION
WORKDIR /src
COPY . .
# No module is downloaded: the binary is the standard library and this folder.
RUN CGO_ENABLED=0 GOPROXY=off go build -trimpath -buildvcs=false -ldflags="-s -w -buildid= -X tickercast/predict/server.version=${VERSION-}" -o /tickercast .

FROM scratch
ARG VERSION
ARG REVISION
ARG SOURCE
LABEL org.opencontainers.image.title=tickercast \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION \
      org.opencontainers.image.source=$SOURCE \
      org.opencontainers.image.licenses=MIT
# The authorities that an HTTPS source of prices is trusted by.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /tickercast /tickercast
USER 65532:65532
# The admin address stays on loopback unless TICKERCAST_ADMIN_ADDR says otherwise.
EXPOSE 8080
# It asks over a socket of its own, so address, TLS and the limit of connections do not matter.
HEALTHCHECK --interval=10s --timeout=2s --start-period=2s CMD ["/tickercast", "healthcheck"]
# SIGTERM, docker's default, drains: wait longer than -drain-delay before killing.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/tickercast"]
