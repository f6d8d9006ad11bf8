/** The servers that install-stores.js has got, which speak the protocol of Redis. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface OtherStore {
  readonly name: string
  readonly installed: boolean
  /** Its binary. */
  readonly server: string
  /** Of the libraries that came with it. */
  readonly libraries: string
}

const directory = fileURLToPath(new URL('../../stores', import.meta.url))

export const otherStores: readonly OtherStore[] = ['valkey', 'redict'].map((name) => {
  const server = join(directory, name, 'usr/bin', `${name}-server`)
  const lib = join(directory, name, 'usr/lib')
  const folders = existsSync(lib) ? readdirSync(lib).map((folder) => join(lib, folder)) : []
  return { name, installed: existsSync(server), server, libraries: folders.join(':') }
})
