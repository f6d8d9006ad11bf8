#!/usr/bin/env bash
# pm2 7.0.4: an application with `stop_exit_codes` and `exp_backoff_restart_delay`, which ends with one of these codes.
#
# Expected: pm2 does not restart it and shows it as `stopped`, as it does without the delay. Or it restarts it, and the
# number of restarts grows.
# Seen (Node.js 20.20.2, Linux): with both options it stays `waiting restart` with pid 0, for good: the number of restarts
# stays the same, although the longest delay is 15 s. `stop_exit_codes` alone gives `stopped`, as documented.
# `pm2 start` prints ✓ and exits with 0 in both cases. So a script that reads the state waits for a restart that never comes.
#
# Fails if any of that changes. Takes some 30 s.
set -euo pipefail
folder=$(mktemp -d)
export PM2_HOME="$folder/pm2"
trap '"$folder/node_modules/.bin/pm2" kill >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund pm2@7.0.4
cat >app.js <<'JS'
setTimeout(() => process.exit(3), 200)
JS
cat >ecosystem.config.js <<'JS'
const app = { script: './app.js', exec_mode: 'fork', stop_exit_codes: [3] }
module.exports = { apps: [{ ...app, name: 'alone' }, { ...app, name: 'delayed', exp_backoff_restart_delay: 100 }] }
JS
node_modules/.bin/pm2 start ecosystem.config.js >/dev/null
echo "pm2 start: exit code $?"

state() {
  node_modules/.bin/pm2 jlist --silent | tail -n 1 | node -e '
    const apps = JSON.parse(require("node:fs").readFileSync(0, "utf8"))
    const of = ({ name, pid, pm2_env: env }) => `${name}: ${env.status}, pid ${pid}, ${env.restart_time} restarts`
    console.log(apps.map(of).sort().join("; "))'
}
for _ in 1 2 3 4 5 6 7 8 9 10; do
  before=$(state)
  [[ $before == *online* ]] || break
  sleep 1
done
echo "$before"
sleep 20
after=$(state)
echo "20 s later: $after"
expected='alone: stopped, pid 0, 0 restarts; delayed: waiting restart, pid 0, 0 restarts'
if [[ $before != "$expected" || $after != "$expected" ]]; then
  echo "this has changed; it was: $expected" >&2
  exit 1
fi
