#!/usr/bin/env bash
# Drives the API of a demo with whatever its description allows and forbids (schemathesis, from PyPI). Fails on any 5xx and on answers that are
# not as described. Takes about three minutes. Says that it skips where Python or the package is missing.
#
#   ci/api_fuzz.sh [seconds]        default 150
set -euo pipefail
cd "$(dirname "$0")/.."

seconds="${1:-150}"
python="${PYTHON:-python3}"
work="$(mktemp -d)"
node=""
finish() {
  if [ -n "$node" ]; then
    kill "$node" 2> /dev/null || true
    wait "$node" 2> /dev/null || true
  fi
  rm -rf "$work"
}
trap finish EXIT

if ! "$python" -m venv "$work/venv" > /dev/null 2>&1; then
  echo "skipped: no Python with venv"
  exit 0
fi
if ! "$work/venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==4.32.5" > "$work/pip.log" 2>&1; then
  echo "skipped: schemathesis can't be installed: $(tail -n 1 "$work/pip.log")"
  exit 0
fi

binary="${SURETY:-target/release/surety}"
if [ ! -x "$binary" ]; then
  cargo build --release --locked --quiet
fi
port="$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
"$binary" --data "$work/demo" demo --fresh --port "$port" > "$work/node.log" 2>&1 &
node=$!

url="http://127.0.0.1:$port"
for _ in $(seq 1 100); do
  if "$python" - "$url/readyz" << 'PYTHON'
import sys, urllib.request
try:
    sys.exit(0 if urllib.request.urlopen(sys.argv[1], timeout=1).status == 200 else 1)
except OSError:
    sys.exit(1)
PYTHON
  then
    break
  fi
  if ! kill -0 "$node" 2> /dev/null; then
    cat "$work/node.log"
    echo "the demo has ended"
    exit 1
  fi
  sleep 0.2
done

status=0
timeout --signal=INT --kill-after=20 "$((seconds + 60))" \
  "$work/venv/bin/schemathesis" run "$url/openapi.json" --url "$url" \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
  --phases examples,coverage,fuzzing --exclude-path /v1/events \
  --request-timeout 10 --max-time "$seconds" --workers 2 --seed 7 --no-color || status=$?

if ! kill -0 "$node" 2> /dev/null; then
  tail -n 20 "$work/node.log"
  echo "the demo has died"
  exit 1
fi
exit "$status"
