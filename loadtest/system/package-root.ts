/**
 * Finds the package's files. Modules run from the sources and from dist/tools; files that are not TypeScript
 * exist in the sources only.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const Package = z.object({ name: z.string().optional(), version: z.string().optional() })

export type PackageFacts = z.infer<typeof Package>

export function readPackage(directory: string): PackageFacts | undefined {
  const file = join(directory, 'package.json')
  return existsSync(file) ? Package.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined
}

function findRoot(from: string): string {
  for (let directory = from; ; directory = dirname(directory)) {
    if (readPackage(directory)?.name === 'rookery') return directory
    if (dirname(directory) === directory) throw new Error(`${from} is not inside the package rookery`)
  }
}

export const PACKAGE_ROOT = findRoot(dirname(fileURLToPath(import.meta.url)))

/** @param path relative to the package root, with slashes */
export const inPackage = (path: string): string => join(PACKAGE_ROOT, path)

const require = createRequire(join(PACKAGE_ROOT, 'package.json'))

/** @returns the directory of an installed package, or undefined */
export function installedAt(name: string): string | undefined {
  const places = require.resolve.paths(name) ?? []
  return places
    .map((place) => join(place, name))
    .find((directory) => existsSync(join(directory, 'package.json')))
}
