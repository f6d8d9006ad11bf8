/** Loads the application: the module that APP names, or the chat. */
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { member } from '../core/member.ts'
import type { App } from '../wire/app.ts'
import { hasPlace } from './start-failure.ts'

const CHECK_MS = 5_000

export interface LoadedApp {
  app: App
  /** Exported as `options`; not checked. Undefined for the chat, too. */
  options: unknown
  /** Exported as `placement`; not checked. */
  placement: unknown
}

/**
 * @param path module or directory with a package.json; the chat when undefined
 * @throws with advice when the module can't be loaded or exports something else
 */
export async function loadApp(path: string | undefined): Promise<LoadedApp> {
  if (path === undefined) {
    const chat = (await import('../chat/chat.ts')).default
    return { app: chat, options: undefined, placement: undefined }
  }
  const loaded = await importModule(path)
  // CommonJS that was compiled from an ES module has both as properties of `module.exports`.
  const outer = member(loaded, 'default')
  const exported = (name: string) => member(loaded, name) ?? member(outer, name)
  const [app, options, placement] = [
    await (member(outer, 'default') ?? outer),
    await exported('options'),
    await exported('placement'),
  ]
  if (isApp(app)) return { app, options, placement }
  throw new Error(
    `${path} has no default export that is a function: write \`export default (io, context) => { … }\``,
  )
}

/** The file of a module: for a directory, what its package.json names. */
function moduleFile(path: string): string {
  const absolute = resolve(path)
  return createRequire(join(absolute, 'package.json')).resolve(absolute)
}

async function importModule(path: string): Promise<unknown> {
  const file = moduleFile(path)
  try {
    return await import(pathToFileURL(file).href)
  } catch (error) {
    if (error instanceof SyntaxError && !hasPlace(error)) await addPlace(error, file)
    if (member(error, 'code') !== 'ERR_UNKNOWN_FILE_EXTENSION') throw error
    throw new Error(
      `Node.js ${process.versions.node} can't load ${path}: compile it to JavaScript, or use Node.js 22.18 or later for TypeScript`,
      { cause: error },
    )
  }
}

/** Node.js does not say where the syntax error of an ES module is, except when it checks the file alone. */
async function addPlace(error: SyntaxError, file: string): Promise<void> {
  const found = await new Promise<string>((done) => {
    execFile(process.execPath, ['--check', file], { timeout: CHECK_MS }, (_error, _out, stderr) =>
      done(stderr),
    )
  })
  const end = found.indexOf('SyntaxError')
  if (end > 0) error.stack = `${found.slice(0, end)}${error.stack ?? ''}`
}

function isApp(value: unknown): value is App {
  return typeof value === 'function'
}
