/** The supported Node.js versions, as test/nodes pins them. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

interface InstalledNode {
  readonly version: string
  readonly major: number
  /** The path of the binary. */
  readonly path: string
}

const directory = new URL('../nodes/', import.meta.url)

/** Empty where the binaries cannot be installed. */
export const supportedNodes: readonly InstalledNode[] = pinnedVersions()
  .map(([name, version]) => ({
    version,
    major: Number.parseInt(version, 10),
    path: fileURLToPath(new URL(`node_modules/${name}/bin/node`, directory)),
  }))
  .filter(({ path }) => existsSync(path))

/** Without the major version that runs the tests. */
export const otherNodes = supportedNodes.filter(
  ({ major }) => major !== Number.parseInt(process.versions.node, 10),
)

/** Pairs of package name and version. */
function pinnedVersions(): [string, string][] {
  const text = readFileSync(new URL('package.json', directory), 'utf8')
  const { dependencies } = JSON.parse(text) as { dependencies: Record<string, string> }
  return Object.entries(dependencies).map(([name, pin]) => [name, pin.slice(pin.lastIndexOf('@') + 1)])
}
