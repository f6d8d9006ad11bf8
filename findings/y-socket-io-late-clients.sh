#!/usr/bin/env bash
# y-socket.io 1.1.3 (yjs 13.6.27, socket.io 4.8.1) with @socket.io/cluster-adapter 0.3.0: a document on two workers.
#
# Expected: either clients of the other worker see nothing of each other's changes, or a client that comes later gets the whole document.
# Seen (Node.js 20.20.2): the adapter passes each change on to the clients of the other worker, so that everything seems to work; but that
# worker does not apply it to its own copy. A client that comes to it later gets an empty document, without an error.
#
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts y-socket.io@1.1.3 yjs@13.6.27 socket.io@4.8.1 socket.io-client@4.8.1 @socket.io/cluster-adapter@0.3.0
cat >server.js <<'JS'
const cluster = require('node:cluster')
const { createServer } = require('node:http')
const { createAdapter, setupPrimary } = require('@socket.io/cluster-adapter')
const { Server } = require('socket.io')
const { YSocketIO } = require('y-socket.io/dist/server')

if (cluster.isPrimary) {
  setupPrimary()
  cluster.setupPrimary({ serialization: 'advanced' })
  const ports = []
  const onPort = ({ port }) => {
    if (port === undefined || ports.push(port) < 2) return
    const client = require('node:child_process').spawn(process.execPath, ['client.mjs', ...ports], { stdio: 'inherit' })
    client.on('exit', (code) => process.exit(code))
  }
  for (let worker = 0; worker < 2; worker += 1) cluster.fork().on('message', onPort)
} else {
  const http = createServer()
  const io = new Server(http, { adapter: createAdapter() })
  new YSocketIO(io).initialize()
  // A port of its own for each worker.
  http.listen({ port: 0, host: '127.0.0.1', exclusive: true }, () => process.send({ port: http.address().port }))
}
JS
cat >client.mjs <<'JS'
import { SocketIOProvider } from 'y-socket.io'
import { Doc } from 'yjs'

const [one, other] = process.argv.slice(2)
const open = (port) =>
  new Promise((resolve) => {
    const doc = new Doc()
    const provider = new SocketIOProvider(`http://127.0.0.1:${port}`, 'minutes', doc, { autoConnect: true, disableBc: true }, {})
    // `sync` comes before the document.
    provider.on('sync', (synced) => synced && setTimeout(resolve, 2_000, doc))
  })
const text = (doc) => JSON.stringify(doc.getText('text').toString())
const first = await open(one)
const beside = await open(other)
const changed = new Promise((resolve) => beside.once('update', resolve))
first.getText('text').insert(0, 'hello')
await changed
console.log('on the other worker, connected before the change:', text(beside))
console.log('on the same worker, connected after it:', text(await open(one)))
console.log('on the other worker, connected after it:', text(await open(other)))
process.exit(0)
JS
seen=$(timeout 60 node server.js)
echo "$seen"
expected='on the other worker, connected before the change: "hello"
on the same worker, connected after it: "hello"
on the other worker, connected after it: ""'
if [[ $seen != "$expected" ]]; then
  echo "this has changed; it was:" "$expected" >&2
  exit 1
fi
