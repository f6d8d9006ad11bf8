/** The Node.js versions beside this one on which some tests run; none where they cannot be had. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const otherNodes = [22, 24]
  .map((major) => ({
    major,
    path: fileURLToPath(new URL(`../nodes/node_modules/node${major}/bin/node`, import.meta.url)),
  }))
  .filter(({ path }) => existsSync(path))
