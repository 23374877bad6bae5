#!/bin/sh
# Installs what the tests need beyond a Rust toolchain: real clients, OBS with a virtual display, an RTSP
# server, nginx-rtmp to test the tests against, a browser for what is served as a page, a C++ compiler for the
# fuzzing engine, and valgrind to count instructions; and in .tools/ a current ffmpeg (Debian 12's
# does not speak Enhanced RTMP), two series of Node-Media-Server for the load generator, and the
# runner of the benches that count. For Debian 12, as root. Does nothing where everything is there.
set -eu

packages="
    ca-certificates
    chromium
    ffmpeg
    g++
    gir1.2-gst-rtsp-server-1.0
    gstreamer1.0-libav
    gstreamer1.0-plugins-bad
    gstreamer1.0-plugins-base
    gstreamer1.0-plugins-good
    gstreamer1.0-plugins-ugly
    gstreamer1.0-tools
    libnginx-mod-rtmp
    mpv
    nginx
    obs-studio
    python3-gi
    python3-venv
    rtmpdump
    util-linux
    valgrind
    vlc-bin
    vlc-plugin-access-extra
    vlc-plugin-base
    xvfb
"
# Programs that the packages must have brought.
programs="
    cargo chromium cvlc ffmpeg ffprobe g++ gst-launch-1.0 mpv nginx node npm obs python3 rtmpdump
    setpriv valgrind Xvfb
"
# GStreamer elements likewise.
elements="rtmpsrc rtmp2src filesink"
# The wheel carries a static ffmpeg of the series named after it.
ffmpeg_wheel="imageio-ffmpeg==0.8.1"
ffmpeg_series="9.0"
# Of each series one release. The newer one asks for node 20, and runs on Debian 12's 18 too.
node_media_servers="2.7.4 4.4.3"

root=$(cd "$(dirname "$0")/.." && pwd)
tools="$root/.tools"
# Cargo is not always on root's path.
PATH="$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin"
# The runner must be of the library's own release.
gungraun=$(sed -n '/^name = "gungraun"$/{n;s/^version = "\(.*\)"$/\1/p;}' "$root/Cargo.lock")
gungraun_runner="$tools/cargo/bin/gungraun-runner"

say() { printf 'install: %s\n' "$*"; }
fail() {
    printf 'install: FAILED: %s\n' "$*" >&2
    exit 1
}

# Runs a command silently; shows what it wrote if it fails.
quietly() {
    log=$(mktemp)
    if "$@" >"$log" 2>&1 </dev/null; then
        rm -f "$log"
    else
        status=$?
        cat "$log" >&2
        rm -f "$log"
        fail "$* (status $status)"
    fi
}

missing_packages() {
    for package in $packages; do
        state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || state=none
        [ "$state" = installed ] || printf '%s ' "$package"
    done
    # Not every nodejs is Debian's; those that bring npm themselves conflict with its package.
    command -v node >/dev/null || printf 'nodejs '
    command -v npm >/dev/null || printf 'npm '
}

install_packages() {
    missing=$(missing_packages)
    if [ -z "$missing" ]; then
        say "Debian packages: all there"
        return
    fi
    [ "$(id -u)" = 0 ] || fail "must be root to install: $missing"
    say "Debian packages: installing $missing"
    export DEBIAN_FRONTEND=noninteractive
    # Archives of its own: images made for containers delete those in the usual place after
    # every apt-get, under the feet of any other one.
    archives=$(mktemp -d)
    mkdir "$archives/partial"
    wait_for_lock="-o DPkg::Lock::Timeout=600"
    # shellcheck disable=SC2086 # lists of words, meant to be split
    if ! apt-get $wait_for_lock -qq --simulate --no-install-recommends install $missing \
        >/dev/null 2>&1; then
        quietly apt-get $wait_for_lock -qq update
    fi
    # nginx and others come with services that would be started, were it not for this file.
    policy=/usr/sbin/policy-rc.d
    own_policy=no
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        own_policy=yes
    fi
    trap '[ "$own_policy" = no ] || rm -f "$policy"; rm -rf "$archives"' EXIT
    # shellcheck disable=SC2086
    quietly apt-get $wait_for_lock -o Dir::Cache::archives="$archives" \
        -y -qq --no-install-recommends install $missing
}

install_ffmpeg() {
    if "$tools/ffmpeg" -version 2>/dev/null | grep -q "^ffmpeg version n\?$ffmpeg_series"; then
        say "current ffmpeg: there"
        return
    fi
    say "current ffmpeg: installing $ffmpeg_wheel into .tools/"
    mkdir -p "$tools"
    quietly python3 -m venv "$tools/venv"
    quietly "$tools/venv/bin/pip" --disable-pip-version-check install "$ffmpeg_wheel"
    program=$("$tools/venv/bin/python" -c \
        'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')
    ln -sfn "$program" "$tools/ffmpeg"
}

# Where the series of a release lies.
node_media_server_home() { printf '%s/node-media-server-%s' "$tools" "${1%%.*}"; }

# The release that lies there, if one does.
node_media_server_there() {
    package="$(node_media_server_home "$1")/node_modules/node-media-server/package.json"
    [ ! -f "$package" ] || sed -n 's/^ *"version": *"\([^"]*\)".*/\1/p' "$package"
}

install_node_media_servers() {
    for release in $node_media_servers; do
        if [ "$(node_media_server_there "$release")" = "$release" ]; then
            say "Node-Media-Server $release: there"
            continue
        fi
        say "Node-Media-Server $release: installing into .tools/"
        home=$(node_media_server_home "$release")
        rm -rf "$home"
        mkdir -p "$home"
        # Nothing of what it depends on is asked to run anything at its installation.
        quietly npm install --prefix "$home" --no-save --no-package-lock --ignore-scripts \
            --no-audit --no-fund --loglevel error "node-media-server@$release"
    done
}

gungraun_there() { [ "$("$gungraun_runner" --version 2>/dev/null)" = "gungraun-runner $gungraun" ]; }

install_gungraun_runner() {
    [ -n "$gungraun" ] || fail "Cargo.lock has no gungraun"
    if gungraun_there; then
        say "gungraun-runner $gungraun: there"
        return
    fi
    say "gungraun-runner $gungraun: building into .tools/ (some minutes)"
    # Without optimisation: what takes time is valgrind.
    quietly cargo install gungraun-runner --version "=$gungraun" --locked --debug --force \
        --root "$tools/cargo"
}

check() {
    for program in $programs; do
        command -v "$program" >/dev/null || fail "$program is still missing"
    done
    for element in $elements; do
        gst-inspect-1.0 "$element" >/dev/null 2>&1 || fail "GStreamer lacks $element"
    done
    # Another python3 on the path would not see Debian's modules.
    /usr/bin/python3 -c 'import gi; gi.require_version("GstRtspServer", "1.0")' 2>/dev/null ||
        fail "/usr/bin/python3 finds no GstRtspServer"
    "$tools/ffmpeg" -version 2>/dev/null | grep -q "^ffmpeg version n\?$ffmpeg_series" ||
        fail "$tools/ffmpeg is not ffmpeg $ffmpeg_series"
    for encoder in libx264 libx265 libsvtav1 libvpx-vp9 libopus; do
        "$tools/ffmpeg" -v error -encoders | grep -q " $encoder " ||
            fail "$tools/ffmpeg lacks $encoder"
    done
    for release in $node_media_servers; do
        [ "$(node_media_server_there "$release")" = "$release" ] ||
            fail "Node-Media-Server $release is still missing"
    done
    gungraun_there || fail "gungraun-runner $gungraun is still missing"
    say "everything the tests need is there"
}

install_packages
install_ffmpeg
install_node_media_servers
install_gungraun_runner
check
