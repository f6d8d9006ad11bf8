#!/usr/bin/env bash
# @socket.io/redis-emitter 5.1.0 (notepack.io 3.0.1): an emit with a typed array that is no Uint8Array.
#
# Expected: the bytes of the array, as `io.emit` of socket.io sends them: 8 for two floats, 4 for two 16-bit numbers.
# Seen (Node.js 20.20.2): one byte per element, with what does not fit cut off; 1.5 becomes 1, 300 becomes 44. A DataView is
# empty. There is no error. Uint8Array, Buffer and ArrayBuffer arrive whole.
#
# Fails if that changes. Needs no Redis: it reads what the emitter publishes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @socket.io/redis-emitter@5.1.0 notepack.io@3.0.1
cat >emit.js <<'JS'
const { Emitter } = require('@socket.io/redis-emitter')
const { decode } = require('notepack.io')
const publish = (_, message) => {
  const [, packet] = decode(message)
  console.log(packet.data.map((value) => (Buffer.isBuffer(value) ? value.toString('hex') : value)).join(' '))
}
const emitter = new Emitter({ publish })
emitter.emit('bytes', new Uint8Array([1, 2]))
emitter.emit('floats', new Float32Array([1.5, 2]))
emitter.emit('shorts', new Uint16Array([1, 300]))
emitter.emit('view', new DataView(new ArrayBuffer(2)))
JS
seen=$(node emit.js)
echo "$seen"
expected=$'bytes 0102\nfloats 0102\nshorts 012c\nview '
if [[ $seen != "$expected" ]]; then
  echo "this has changed; it was:" "$expected" >&2
  exit 1
fi
