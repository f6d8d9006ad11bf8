#!/usr/bin/env bash
# @socket.io/redis-emitter 5.1.0 with ioredis 5.8.2: an emit while Redis can't be reached.
#
# Expected: `emit` reports it: it throws, returns false or a promise.
# Seen (Node.js 20.20.2): `emit` returns true, and the promise of `publish` is dropped. Its rejection is unhandled, which by
# default ends the process.
#
# Fails if that changes. Needs no Redis: the client is never connected.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @socket.io/redis-emitter@5.1.0 ioredis@5.8.2
cat >emit.js <<'JS'
const { Emitter } = require('@socket.io/redis-emitter')
const { Redis } = require('ioredis')
process.on('unhandledRejection', ({ message }) => console.log(`unhandled: ${message}`))
// Without an offline queue a command fails at once, as a program wants it that must not wait.
const redis = new Redis({ lazyConnect: true, enableOfflineQueue: false, retryStrategy: () => null, port: 1 })
redis.on('error', () => undefined)
console.log(`emit: ${new Emitter(redis).emit('news')}`)
JS
seen=$(node emit.js)
echo "$seen"
if [[ $seen != $'emit: true\nunhandled: '* ]]; then
  echo "this has changed; it was: emit: true, then an unhandled rejection" >&2
  exit 1
fi
