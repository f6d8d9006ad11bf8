/** Loads the application: the module that APP names, or the chat. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { App } from '../wire/app.ts'

/**
 * @param path module whose default export is an `App`; the chat when undefined
 * @throws with advice when the module can't be loaded or exports something else
 */
export async function loadApp(path: string | undefined): Promise<App> {
  if (path === undefined) return (await import('../chat/chat.ts')).default
  const url = pathToFileURL(resolve(path)).href
  const loaded: unknown = await import(url)
  const exported = typeof loaded === 'object' && loaded !== null ? Reflect.get(loaded, 'default') : undefined
  if (isApp(exported)) return exported
  throw new Error(
    `${path} has no default export that is a function: write \`export default (io, context) => { … }\``,
  )
}

function isApp(value: unknown): value is App {
  return typeof value === 'function'
}
