/**
 * The packages with other Node.js versions, which some tests start by their path, also link one of them as `node`. npm
 * puts that link first in the PATH of every script, which would then not run on the Node.js of this machine.
 */
import { rmSync } from 'node:fs'

rmSync(new URL('../../node_modules/.bin/node', import.meta.url), { force: true })
