/** Checks what a target needs on the machine, before anything starts. */
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { installedAt } from '../system/package-root.ts'

/** A missing program or package; the message says how to install it. */
export class Missing extends Error {}

/** @param install how to install it, in a few words */
export function needProgram(name: string, install: string, path = process.env['PATH'] ?? ''): void {
  const found = path.split(delimiter).some((directory) => isExecutable(join(directory, name)))
  if (!found) throw new Missing(`${name} is not on the PATH: ${install}`)
}

export function needPackage(name: string): void {
  if (installedAt(name) === undefined)
    throw new Missing(`the package ${name} is missing: npm install ${name}`)
}

function isExecutable(file: string): boolean {
  if (!existsSync(file)) return false
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EACCES') return false
    throw error
  }
}
