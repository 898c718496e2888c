#!/usr/bin/env bash
# Drives the API of a demo with whatever its description allows and forbids (schemathesis, from PyPI). Fails on any 5xx, on an answer that does not
# come, and on answers that are not as described. Takes at most about four minutes. Says that it skips where Python or the package is missing.
# What it installs, and what it writes, is below target/.
#
#   ci/api_fuzz.sh [seconds]        default 120, the time for requests
#
# SURETY names another binary than target/debug/surety; PYTHON another Python than python3.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

version="4.32.5"
seconds="${1:-120}"
python="${PYTHON:-python3}"
venv="target/api-fuzz"
work="target/api-fuzz-run"
binary="${SURETY:-target/debug/surety}"

if ! command -v "$python" > /dev/null 2>&1; then
  echo "skipped: there is no $python"
  exit 0
fi
if ! "$venv/bin/python" -c "import importlib.metadata as m; assert m.version('schemathesis') == '$version'" > /dev/null 2>&1; then
  rm -rf "$venv"
  if ! timeout 60 "$python" -m venv "$venv" > /dev/null 2>&1; then
    echo "skipped: $python has no venv"
    rm -rf "$venv"
    exit 0
  fi
  if ! said="$(timeout 120 "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "schemathesis==$version" 2>&1)"; then
    echo "skipped: schemathesis $version can't be installed: $(tail -n 1 <<< "$said")"
    rm -rf "$venv"
    exit 0
  fi
fi
if [ ! -x "$binary" ]; then
  echo "there is no $binary: cargo build"
  exit 1
fi

rm -rf "$work"
mkdir -p "$work"
"$binary" --data "$work/demo" demo --fresh --port 0 > "$work/node.log" 2>&1 &
node=$!
finish() {
  kill "$node" 2> /dev/null
  wait "$node" 2> /dev/null
}
trap finish EXIT

# The node says in its folder where it answers, once it does.
url=""
for _ in $(seq 1 300); do
  url="$(sed -n 's/.*"url":"\([^"]*\)".*/\1/p' "$work/demo/node.json" 2> /dev/null)"
  if [ -n "$url" ]; then break; fi
  if ! kill -0 "$node" 2> /dev/null; then
    cat "$work/node.log"
    echo "the demo has ended"
    exit 1
  fi
  sleep 0.2
done
if [ -z "$url" ]; then
  cat "$work/node.log"
  echo "the demo does not answer within a minute"
  exit 1
fi

# /v1/events is a stream without an end: its tests are in crates/node/tests/api/events.rs.
status=0
# It leaves a folder of its own where it runs. One worker: with two, Python 3.11 itself fails now and then ("AST constructor recursion depth
# mismatch": its parser counts recursion for all threads together).
root="$PWD"
(cd "$work" && exec timeout --signal=INT --kill-after=15 "$((seconds + 60))" \
  "$root/$venv/bin/schemathesis" run "$url/openapi.json" --url "$url" \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance \
  --phases examples,coverage,fuzzing --exclude-path /v1/events --generation-database none \
  --request-timeout 10 --max-time "$seconds" --workers 1 --seed 7 --no-color) > "$work/report.txt" 2>&1 || status=$?
tail -n 60 "$work/report.txt"

if ! kill -0 "$node" 2> /dev/null; then
  tail -n 20 "$work/node.log"
  echo "the demo has died"
  exit 1
fi
alive() { "$venv/bin/python" -c 'import sys, urllib.request; sys.exit(urllib.request.urlopen(sys.argv[1], timeout=5).status != 200)' "$url$1"; }
if ! alive /livez || ! alive /readyz; then
  echo "the demo does not answer any more"
  exit 1
fi
# No request may have met a bug, whatever it was answered with.
if ! "$venv/bin/python" -c 'import sys, urllib.request; sys.exit("surety_panics_total 0\n" not in urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())' "$url/metrics"; then
  echo "a request has met a bug: surety_panics_total is not 0"
  exit 1
fi
if [ "$status" -eq 0 ]; then
  rm -rf "$work"
fi
exit "$status"
