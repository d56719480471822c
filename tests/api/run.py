"""Walks the whole API document with schemathesis as nobody and as each role, against the demo.

Fails on any 5xx that is not declared, any status, media type or body that the document does not
promise. Usage: run.py LOCKERD [--examples N] [--seed N]; run by `make test-api`.
"""

import argparse
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
# Requests that end the very log-in they are made with, or that never end by themselves.
ENDS_ITSELF = [
    "/api/v1/auth/logout",
    "/api/v1/ws",
]
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
# Numbers that exist in the demo, so that more than "no such thing" is met.
KNOWN = """\
[parameters]
"path.locker_id" = 101
"path.bank_id" = 1
"path.member_id" = 5
"path.bus" = "east"
"path.address" = 0
"""


def start(binary):
    """Starts the demo on a free port; gives the process and what it says of itself."""
    demo = subprocess.Popen(
        [binary, "demo", "--listen", "127.0.0.1:0", "--json"],
        stdout=subprocess.PIPE,
        text=True,
    )
    return demo, json.loads(demo.stdout.readline())


def log_in(url, account):
    """An access token of one of the demo's people."""
    request = urllib.request.Request(
        f"{url}/api/v1/auth/login",
        json.dumps(account).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)["access_token"]


def walk(url, token, known, options, place):
    """One run of schemathesis; gives whether all was well, how many requests, and what it said."""
    config = place / ("known.toml" if known else "anything.toml")
    config.write_text(KNOWN if known else "")
    command = [
        str(pathlib.Path(sys.executable).parent / "schemathesis"),
        f"--config-file={config}",
        "run",
        f"{url}/api/openapi.json",
        f"--checks={CHECKS}",
        "--phases=examples,coverage,fuzzing",
        f"--max-examples={options.examples}",
        f"--seed={options.seed}",
        "--continue-on-failure",
        "--warnings=off",
        "--workers=2",
    ]
    command += [f"--exclude-path={path}" for path in ENDS_ITSELF]
    if token:
        command.append(f"--header=Authorization: Bearer {token}")
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={"SCHEMATHESIS_HOOKS": "hooks", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(HERE), "HOME": str(place), "PATH": "/usr/bin:/bin"},
        cwd=place,
    )
    said = done.stdout + done.stderr
    found = re.search(r"(\d+) generated", said)
    return done.returncode == 0, int(found.group(1)) if found else 0, said


def main():
    """Runs every role; the exit code says whether the document holds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--examples", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    demo, told = start(options.binary)
    well, requests = True, 0
    try:
        with tempfile.TemporaryDirectory() as place:
            for role in ["nobody", "student", "staff", "admin"]:
                for known in [False, True]:
                    account = told["accounts"].get(role)
                    token = log_in(told["url"], account) if account else None
                    good, count, said = walk(told["url"], token, known, options, pathlib.Path(place))
                    requests += count
                    numbers = "known numbers" if known else "any numbers"
                    print(f"{role}, {numbers}: {count} requests, {'well' if good else 'NOT WELL'}", flush=True)
                    if not good or count == 0:
                        well = False
                        print(said)
    finally:
        demo.send_signal(signal.SIGTERM)
        ended = demo.wait(timeout=30)
    print(f"{requests} requests in all")
    if ended != 0:
        print(f"the demo ended with {ended}")
    return 0 if well and ended == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
