#!/usr/bin/env bash
# Builds both images without a container engine and runs a task through them: buildah and podman, on a stand-in base image
# (debootstrap's Debian with this machine's Node), against the embedded PostgreSQL on loopback. By hand, as root, after an
# `npm test`; needs the Debian packages buildah, podman, runc and debootstrap. Removes everything it made.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d "${TMPDIR:-/tmp}/task-executor-images-XXXXXX")
# PostgreSQL runs as another user when root starts it: let it walk through.
chmod 711 "$work"
store=(--storage-driver vfs --root "$work/storage" --runroot "$work/run")
# Without systemd podman cannot time the health checks and says so at every step; they are run by hand below.
podman() { command podman --log-level fatal "${store[@]}" --cgroup-manager=cgroupfs --runtime runc "$@"; }
buildah() { command buildah "${store[@]}" "$@"; }
database_pid=
cleanup() {
  set +e
  podman rm --force --all --time 5 >/dev/null 2>&1
  [ -z "$database_pid" ] || { kill "$database_pid" 2>/dev/null; wait "$database_pid" 2>/dev/null; }
  buildah rm --all >/dev/null 2>&1
  for _ in 1 2 3; do rm -rf "$work" 2>/dev/null && break; sleep 1; done
}
trap cleanup EXIT
fail() { echo "verify-images: $*" >&2; exit 1; }
free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'; }

echo "== stand-in base image: Debian with Node $(node --version)"
debootstrap --variant=minbase --include=ca-certificates,libstdc++6 bookworm "$work/root" >"$work/debootstrap.log" 2>&1 \
  || { tail -5 "$work/debootstrap.log"; fail 'debootstrap failed'; }
npm_folder=$(dirname "$(dirname "$(realpath "$(command -v npm)")")")
install -D -m 755 "$(realpath "$(command -v node)")" "$work/root/usr/bin/node"
mkdir -p "$work/root/usr/lib/node_modules"
cp -a "$npm_folder" "$work/root/usr/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/root/usr/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$work/root/usr/bin/npx"
rm -rf "$work/root/var/cache/apt" "$work/root/var/lib/apt/lists"
container=$(buildah from scratch)
buildah add --quiet "$container" "$work/root" / >/dev/null
buildah commit --quiet "$container" localhost/stand-in >/dev/null
buildah rm "$container" >/dev/null
rm -rf "$work/root"

# The user's npm settings, and the certificates that Node trusts here, are lent to the build, not copied into an image.
certificates=/etc/ssl/certs/ca-certificates.crt
lent=(--volume "$work/npmrc:/root/.npmrc:ro")
cat "$HOME/.npmrc" >"$work/npmrc" 2>/dev/null || true
if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then
  echo "cafile=$certificates" >>"$work/npmrc"
  lent+=(--volume "$NODE_EXTRA_CA_CERTS:$certificates:ro")
fi
for name in api worker; do
  echo "== building the image of the $name"
  buildah build --isolation chroot --format docker --layers=false --pull=never --build-arg BASE_IMAGE=localhost/stand-in \
    "${lent[@]}" --file "packages/$name/Dockerfile" --tag "localhost/task-executor-$name" . >"$work/build-$name.log" 2>&1 \
    || { tail -30 "$work/build-$name.log"; fail "the image of the $name could not be built"; }
done

echo '== PostgreSQL, the API and a worker'
DATA_DIR="$work/data" node scripts/database.mjs up >"$work/database.log" 2>&1 &
database_pid=$!
for _ in $(seq 600); do database=$(grep -m1 '^postgresql://' "$work/database.log" || true); [ -z "$database" ] || break; sleep 0.1; done
[ -n "$database" ] || { cat "$work/database.log"; fail 'PostgreSQL did not start'; }
port=$(free_port)
limits=(--network=host --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --read-only --cap-drop all --security-opt no-new-privileges)
podman run --detach --name api "${limits[@]}" --env HOST=127.0.0.1 --env PORT="$port" --env DATABASE_URL="$database" \
  --env NUM_INTERNAL_WORKERS=0 localhost/task-executor-api >/dev/null
for _ in $(seq 300); do curl -sf "http://127.0.0.1:$port/ready" >/dev/null && break; sleep 0.1; done
curl -sf "http://127.0.0.1:$port/ready" >/dev/null || { podman logs api; fail 'the API did not become ready'; }
podman run --detach --name worker "${limits[@]}" --env API_URL="http://127.0.0.1:$port" localhost/task-executor-worker >/dev/null

field() { node -pe "JSON.parse(require('fs').readFileSync(0, 'utf8')).$1"; }
task=$(curl -sf "http://127.0.0.1:$port/api/v1/tasks" -H 'Content-Type: application/json' \
  -d '{"problem_id": "test-image", "parameters": {"max_steps": 5}}' | field id)
for _ in $(seq 300); do
  status=$(curl -sf "http://127.0.0.1:$port/api/v1/tasks/$task" | field status)
  case $status in pending | running) sleep 0.1 ;; *) break ;; esac
done
[ "$status" = completed ] || { podman logs api; podman logs worker; fail "the task is $status"; }
for page in docs redoc openapi.yaml docs/assets/swagger-ui-bundle.js metrics; do
  curl -sf "http://127.0.0.1:$port/$page" >/dev/null || fail "/$page is not served"
done
for name in api worker; do
  podman healthcheck run "$name" || fail "the $name is not healthy"
  user=$(podman inspect --format '{{.Config.User}}' "$name")
  [ "$user" = 1000:1000 ] || fail "the $name runs as $user"
done
# Only what lies on top of the base image counts.
for name in api worker; do
  size=$(podman run --rm "${limits[@]}" "localhost/task-executor-$name" du -sm /app | cut -f1)
  echo "   $name: $size MB on top of the base image"
done
for name in worker api; do
  podman stop --time 30 "$name" >/dev/null
  code=$(podman inspect --format '{{.State.ExitCode}}' "$name")
  [ "$code" = 0 ] || fail "the $name ended with exit code $code"
done
echo "Both images were built, and a task was $status."
