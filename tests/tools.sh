#!/bin/sh
# Looks for what building needs, with the argument "ui" also for what the web app needs, with "test" for what
# testing needs beside that; installs it with apt when run as root on Debian, else says exactly what to install.
set -eu
missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need cc gcc
need make make
if [ "${1:-}" = test ]; then
	need strace strace
	need curl curl
	need python3 python3
	need chromium chromium
	# Without it Korean is boxes.
	fc-list 2>/dev/null | grep -qi cjk || missing="$missing fontconfig fonts-noto-cjk"
	# Debian packs the part that makes virtual environments apart.
	python3 -c "import ensurepip, venv" >/dev/null 2>&1 || missing="$missing python3-venv"
fi
# Of Node, Debian 12 packs too old a one: whoever has none chooses where it comes from.
node_fits() {
	command -v npm >/dev/null 2>&1 && node -e '
		const [major, minor] = process.versions.node.split(".").map(Number);
		process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}
if [ -n "${1:-}" ] && ! node_fits; then
	echo "lockerd's web app needs Node 20.19 or newer, with npm: see https://nodejs.org" >&2
	exit 1
fi
if ! command -v cargo >/dev/null 2>&1; then
	echo "lockerd needs Rust 1.95 or newer: see https://rustup.rs" >&2
	exit 1
fi
version=$(rustc --version | cut -d' ' -f2)
minor=$(echo "$version" | cut -d. -f2)
if [ "$(echo "$version" | cut -d. -f1)" -lt 2 ] && [ "$minor" -lt 95 ]; then
	echo "lockerd needs Rust 1.95 or newer, this is $version: rustup update" >&2
	exit 1
fi
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
	echo "lockerd needs these packages: sudo apt-get install$missing" >&2
	exit 1
fi
