#!/usr/bin/env bash
# autocannon 9.0.0 against an HTTP/1.1 server that closes each connection after its answer (`Connection: close`).
#
# Expected of `amount: 2000`: 2,000 requests are sent and answered, or the missing ones are counted as errors.
# Seen (Node.js 20.20.2, Linux): the server gets 1,000 requests and answers all of them. The result says
# `requests.sent: 2000`, `requests.total: 1000`, `2xx: 1000`, `errors: 0`, `timeouts: 0`, `resets: 0`. The run ends without
# a warning. Against the same server with keep-alive all of these are 2,000.
# So a load test of such a server reports half of its requests, and no loss. Servers behind @socket.io/sticky are such
# servers: its worker half closes the connection after each HTTP answer.
#
# Fails if any of that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund autocannon@9.0.0
cat >run.mjs <<'JS'
import { createServer } from 'node:http'
import autocannon from 'autocannon'

const AMOUNT = 2_000

async function measure(keepsConnections) {
  let served = 0
  const server = createServer((_request, response) => {
    served += 1
    if (!keepsConnections) response.setHeader('connection', 'close')
    response.end('ok')
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${server.address().port}/`
  const result = await autocannon({ url, connections: 4, amount: AMOUNT })
  server.close()
  server.closeAllConnections()
  const { sent, total } = result.requests
  const { errors, timeouts, resets, '2xx': ok } = result
  return JSON.stringify({ served, ok, sent, total, errors, timeouts, resets })
}

const quiet = { errors: 0, timeouts: 0, resets: 0 }
const expected = {
  true: JSON.stringify({ served: AMOUNT, ok: AMOUNT, sent: AMOUNT, total: AMOUNT, ...quiet }),
  false: JSON.stringify({ served: AMOUNT / 2, ok: AMOUNT / 2, sent: AMOUNT, total: AMOUNT / 2, ...quiet }),
}
for (const keeps of [true, false]) {
  const seen = await measure(keeps)
  console.log(`${keeps ? 'keep-alive' : 'Connection: close'}: ${seen}`)
  if (seen !== expected[keeps]) {
    console.error(`this has changed; it was ${expected[keeps]}`)
    process.exitCode = 1
  }
}
JS
node run.mjs
