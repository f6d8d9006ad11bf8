/** Runs a program until it exits and captures its output. */
import { spawn } from 'node:child_process'

export interface CommandResult {
  /** `null` when a signal ended it. */
  code: number | null
  stdout: string
  stderr: string
}

export interface CommandOptions {
  env?: Record<string, string>
  cwd?: string
  uid?: number
}

/** The environment of processes that tests start: without variables of the caller that could be settings. */
export function plainEnvironment(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }
}

export function run(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      env: { ...plainEnvironment(), ...options.env },
      cwd: options.cwd,
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const result: CommandResult = { code: null, stdout: '', stderr: '' }
    child.stdout.on('data', (chunk) => (result.stdout += chunk))
    child.stderr.on('data', (chunk) => (result.stderr += chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ ...result, code }))
  })
}

/** The built product. */
export const MAIN = new URL('../../dist/main.js', import.meta.url).pathname

/** `rookery <args>` */
export function rookery(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return run(process.execPath, [MAIN, ...args], options)
}
