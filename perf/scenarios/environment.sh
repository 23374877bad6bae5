# Sourced by the scenarios: what every result must say about where it was measured.
# $1 is a title; $2 the command as it was typed. Writes Markdown to standard output.
environment() {
    echo "# $1"
    echo
    echo "- machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) cores," \
        "$(awk '/MemTotal/ {printf "%.0f GB", $2 / 1e6}' /proc/meminfo); kernel $(uname -r), loopback," \
        "congestion control $(cat /proc/sys/net/ipv4/tcp_congestion_control)"
    echo "- load average of the machine at the start: $(cut -d' ' -f1-3 /proc/loadavg)"
    echo "- commit: $(git rev-parse --short HEAD)$(git diff --quiet HEAD -- src crates loadtest bench || echo ' with changes')," \
        "$(rustc --version), release profile"
    echo "- command: \`$2\`"
    echo
}
