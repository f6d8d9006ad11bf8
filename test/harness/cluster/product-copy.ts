/** A copy of the built product, which a test may change like an upgrade in place. */
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'

const ROOT = new URL('../../../', import.meta.url).pathname

export interface ProductCopy {
  /** For `StartOptions.main`. */
  main: string
  /** The directory of the built page. */
  page: string
  remove(): Promise<void>
}

export async function copyProduct(): Promise<ProductCopy> {
  const outputs = join(ROOT, 'test-output')
  await mkdir(outputs, { recursive: true })
  // Inside the project, where its packages are found.
  const copy = await mkdtemp(join(outputs, 'copy-'))
  await cp(join(ROOT, 'package.json'), join(copy, 'package.json'))
  await cp(join(ROOT, 'dist'), join(copy, 'dist'), { recursive: true })
  return {
    main: join(copy, 'dist/main.js'),
    page: join(copy, 'dist/web'),
    remove: () => rm(copy, { recursive: true }),
  }
}
