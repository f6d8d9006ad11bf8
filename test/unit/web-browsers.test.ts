/** What the page uses must exist in the browsers that it is for. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const SRC = fileURLToPath(new URL('../../src/', import.meta.url))

async function sources(folder: string): Promise<string[]> {
  const names = await readdir(join(SRC, folder), { recursive: true })
  return names.filter((name) => /\.tsx?$/.test(name)).map((name) => join(SRC, folder, name))
}

it('no regular expression looks behind: in Safari before 16.4 the page would stay blank', async () => {
  const files = [...(await sources('web')), ...(await sources('client'))]
  expect(files.length).toBeGreaterThan(100)
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')))
  expect(files.filter((_, index) => /\(\?<[=!]/.test(texts[index] ?? ''))).toEqual([])
})
