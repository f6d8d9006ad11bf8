/**
 * Packages that only the load test needs. Installing Rookery does not bring them (optional peer dependencies), so
 * that a server's node_modules stays small.
 */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { inPackage, installedAt, readPackage } from './package-root.ts'

const Manifest = z.object({
  peerDependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
})

/** @returns what is not installed, or with another major version, as arguments for `npm install` */
export function missingPackages(versionOf = installedVersion): string[] {
  const { peerDependencies, devDependencies } = Manifest.parse(
    JSON.parse(readFileSync(inPackage('package.json'), 'utf8')),
  )
  return Object.keys(peerDependencies)
    .map((name) => ({ name, major: majorOf(devDependencies[name] ?? '') }))
    .filter(({ name, major }) => majorOf(versionOf(name) ?? '') !== major)
    .map(({ name, major }) => `${name}@${major}`)
}

/** @throws Error that says what to install */
export function requirePackages(missing = missingPackages()): void {
  if (missing.length === 0) return
  throw new Error(
    `the load test needs packages that a server does without: npm install --save-dev ${missing.join(' ')}`,
  )
}

function installedVersion(name: string): string | undefined {
  const directory = installedAt(name)
  return directory === undefined ? undefined : readPackage(directory)?.version
}

/** `^9.0.0` → `9` */
const majorOf = (version: string): string => /\d+/.exec(version)?.[0] ?? ''
