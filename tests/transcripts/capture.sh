#!/bin/sh
# Writes the transcript of the OBS Studio that is installed, as tests/transcripts/obs-VERSION.txt: OBS
# publishes on a virtual display to a server that captures what it says. Wants the packages obs-studio
# and xvfb, and what tests/install.sh installs besides.
set -eu
cd "$(dirname "$0")/../.."
TRANSCRIPTS_WRITE=1 cargo test --test clients -- --exact obs::obs_publishes
git status --short tests/transcripts
