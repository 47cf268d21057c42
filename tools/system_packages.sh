#!/bin/sh
# What the tests need beside Python: a browser, a screen, a database server, and real stream servers.
# Installs what is missing where apt may be used without asking, and goes on without elsewhere:
# the tests that need a missing part skip and say so, except in CI, where they fail.
set -u

missing=""
need() { # need COMMAND PACKAGE...
    command -v "$1" >/dev/null 2>&1 && return
    shift
    missing="$missing $*"
}
need ffmpeg ffmpeg
need chromium chromium
need Xvfb xvfb xauth
need xdotool xdotool
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || need initdb postgresql
python3 -c 'import tkinter' >/dev/null 2>&1 || missing="$missing python3-tk"
for element in h264parse:bad x264enc:ugly rtph264pay:good videotestsrc:base; do
    gst-inspect-1.0 "${element%%:*}" >/dev/null 2>&1 || missing="$missing gstreamer1.0-tools gstreamer1.0-plugins-${element##*:}"
done
/usr/bin/python3 -c 'import gi; gi.require_version("GstRtspServer", "1.0")' >/dev/null 2>&1 \
    || missing="$missing python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-libav"

[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    echo "no apt-get here: some tests will skip for want of:$missing"
    exit 0
fi
if [ "$(id -u)" = 0 ]; then
    sudo=""
elif sudo -n true 2>/dev/null; then
    sudo="sudo -n"
else
    echo "some tests will skip; to run them all: sudo apt-get install$missing"
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # both are lists of words
{ $sudo apt-get update -qq && $sudo apt-get install -qq -y --no-install-recommends $missing; } >/dev/null \
    || echo "apt-get could not install:$missing; some tests may skip"
exit 0
