/**
 * The program that `startCluster` runs: `rookery start`. It ends with the process that started it, however that
 * one ends, and deletes its temporary DATA_DIR.
 */
import { rmSync } from 'node:fs'
import { isTemporary } from './data-dir.ts'

const dataDir = process.env['ROOKERY_DATA_DIR'] ?? ''

function removeData(): void {
  if (isTemporary(dataDir)) rmSync(dataDir, { recursive: true, force: true })
}

process.once('exit', removeData)
function end(): void {
  // As long as nothing handles the signal it ends this process without an `exit` event.
  if (process.listenerCount('SIGTERM') === 0) removeData()
  process.kill(process.pid, 'SIGTERM')
}

process.once('disconnect', end)
// It may have ended before this program was read.
if (!process.connected) end()
// The channel alone keeps no process alive; the product listens for messages on it.
await import('../main.ts')
