/** Packs the product and installs it into projects, with the registry and the certificates of this machine. */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './command.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const PNPM = join(ROOT, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs')

export interface Packed {
  /** Path of the tarball. */
  readonly tarball: string
  /** The files in it. */
  readonly files: readonly string[]
}

/** @returns the directory of an empty project */
export async function emptyProject(): Promise<string> {
  const project = await mkdtemp(join(tmpdir(), 'rookery-pack-'))
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }\n')
  return project
}

export async function pack(into: string): Promise<Packed> {
  const [packed] = JSON.parse(
    await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', into], ROOT),
  ) as { filename: string; files: { path: string }[] }[]
  if (packed === undefined) throw new Error('npm packed nothing')
  return { tarball: join(into, packed.filename), files: packed.files.map(({ path }) => path) }
}

export const npm = (args: readonly string[], cwd: string): Promise<string> => succeed('npm', args, cwd)

/** Its files are linked from a store, which is here in the project. */
export const pnpm = (args: readonly string[], cwd: string): Promise<string> =>
  succeed(process.execPath, [PNPM, '--store-dir', join(cwd, '.store'), ...args], cwd)

async function succeed(file: string, args: readonly string[], cwd: string): Promise<string> {
  const kept =
    /^(npm_config_(registry|cafile|userconfig|globalconfig|cache)|https?_proxy|no_proxy|node_extra_ca_certs)$/i
  const set = Object.entries(process.env).filter(([name]) => kept.test(name))
  const env = Object.fromEntries(set.map(([name, value]) => [name, value ?? '']))
  const { code, stdout, stderr } = await run(file, args, { cwd, env })
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${code}:\n${stdout}\n${stderr}`)
  return stdout
}
