# The host's image, from an unpacked release archive: docker build -t aiagent-host:0.1.0 .
# Nothing but glibc and certificates is in it; it runs with a read-only root, as the user 65532, and writes to
# /var/lib/ai-agent only. Native commands (`exec`) are refused in it: there is no bubblewrap.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY target/release/aiagent-host /usr/bin/aiagent-host
COPY target/plugins/ /usr/lib/ai-agent/plugins/
COPY LICENSE sbom.cdx.json /usr/share/doc/ai-agent/
ENV AIAGENT_PLUGINS_DIR=/usr/lib/ai-agent/plugins \
    AIAGENT_STATE_DIR=/var/lib/ai-agent/state \
    AIAGENT_LISTEN=0.0.0.0:8080
# Whoever listens there needs AIAGENT_TOKEN.
EXPOSE 8080
USER 65532:65532
ENTRYPOINT ["/usr/bin/aiagent-host"]
CMD ["serve"]
