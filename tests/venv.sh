#!/bin/sh
# Makes the virtual environment target/venv/NAME from tests/NAME/requirements.txt, once for each
# version of that file. Usage: venv.sh NAME
set -eu
name=$1
cd "$(dirname "$0")/.."
wanted="tests/$name/requirements.txt"
place="target/venv/$name"
if [ -f "$place/made-of.txt" ] && cmp -s "$place/made-of.txt" "$wanted"; then
	exit 0
fi
rm -rf "$place"
mkdir -p target/venv
python3 -m venv "$place"
"$place/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$wanted"
cp "$wanted" "$place/made-of.txt"
