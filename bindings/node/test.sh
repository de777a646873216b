#!/usr/bin/env bash
# Builds the npm packages, installs them into a fresh folder and tests them there: calls, bad input, host objects, streams, processes and
# worker threads, the openai package's calls, the AI SDK, Express and Fastify, and the types under the strictest settings.
#
#   bindings/node/test.sh            everything
#   XYNERGY_NODE_PROFILE=dev ...     with an unoptimised native module, which is built faster
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
root=$(cd ../.. && pwd)
profile=${XYNERGY_NODE_PROFILE:-dist}
target=${CARGO_TARGET_DIR:-$root/target}
cache="${XDG_CACHE_HOME:-$HOME/.cache}/xynergy-tests/node"

echo "== build and pack ($profile)"
node build.mjs --pack --profile "$profile"

mkdir -p "$cache"
fresh=$(mktemp -d "$cache/fresh.XXXXXX")
trap 'rm -rf "$fresh"' EXIT
cp tests/dependencies.json "$fresh/package.json"
cp -r tests "$fresh/tests"
mkdir "$fresh/examples"
cp "$root"/examples/node/{express_app,fastify_app,webhook_server}.mjs "$fresh/examples/"
cd "$fresh"

echo "== install"
npm install --cache "$cache/npm" --prefer-offline --no-audit --no-fund --no-package-lock --loglevel error "$target"/npm/*.tgz

export XYNERGY_EXAMPLES=$fresh/examples XYNERGY_SURFACE=$root/tests/vectors/surface.json
echo "== tests on Node $(node --version)"
XYNERGY_VECTORS_FOLDER=$root/tests/vectors \
  node --expose-gc --test --test-reporter="$here/tests/reporter.mjs" tests/*.test.mjs | tee said.log
awk '/ passed, / {print "passed:", $1}' said.log
stat --printf 'size: %n %s bytes\n' "$target"/npm/*.tgz

for program in types types-ai-sdk; do
  echo "== tsc --strict: $program"
  npx --no-install tsc --project "tests/$program"
  npx --no-install tsc --project "tests/$program" --noEmit false --outDir "out/$program"
  for made in "out/$program"/program.*js; do node "$made" >"$fresh/out.log" 2>&1 || { cat "$fresh/out.log"; exit 1; }; done
done

echo "== the closed loop, with the bytes of the Rust example"
mkdir -p examples/data examples/node
cp "$root"/examples/data/* examples/data/
cp "$root"/examples/node/closed_loop.mjs examples/node/
(cd "$root" && cargo build --quiet --release --example closed_loop)
python3 "$root/tests/python/same_bytes.py" "$target/release/examples/closed_loop" "node $fresh/examples/node/closed_loop.mjs"
echo "passed: 3"

echo "== the command line"
[ "$(npx --no-install xynergy --version)" = "xynergy $(node -p 'require("xynergy/package.json").version')" ]
code=0
npx --no-install xynergy sing >/dev/null 2>&1 || code=$?
[ "$code" = 2 ]
echo "passed: 2"
echo "== all well"
