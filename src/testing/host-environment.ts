/** The environment of a test's cluster: that of the test, without what would join it to others, and settings. Pure. */

/** Short, so that reloads and stops take no longer than the clients need. A test may choose others. */
const DEFAULTS = { PORT: '0', ADMIN_PORT: '0', DRAIN_MS: '200' }

/** What `startCluster` relies on. */
const FIXED = { HOST: '127.0.0.1', ADMIN_HOST: '127.0.0.1', LOG_FORMAT: 'json' }

const PREFIX = 'ROOKERY_'

export interface HostEnvironmentOptions {
  /** Of the test's process. */
  inherited: NodeJS.ProcessEnv
  /** From the test; undefined takes a variable away. */
  given: Readonly<Record<string, string | undefined>>
  /** Settings by environment name that `given` overrides. */
  defaults: Readonly<Record<string, string>>
  /** Settings by environment name that nothing overrides. */
  fixed: Readonly<Record<string, string>>
}

/**
 * Settings are set by the names that win (`ROOKERY_…`), so that an application keeps its own `PORT`. The test's
 * REDIS_URL is not passed on: a test must not join a cluster by mistake.
 */
export function hostEnvironment(options: HostEnvironmentOptions): NodeJS.ProcessEnv {
  const { inherited, given } = options
  const passedOn = Object.entries(inherited).filter(
    ([name]) => !name.startsWith(PREFIX) && name !== 'REDIS_URL',
  )
  const defaults = Object.entries({ ...DEFAULTS, ...options.defaults }).filter(
    ([name]) => !(name in given) && !(PREFIX + name in given),
  )
  const fixed = Object.entries({ ...FIXED, ...options.fixed })
  return { ...Object.fromEntries(passedOn), ...prefixed(defaults), ...given, ...prefixed(fixed) }
}

const prefixed = (settings: [string, string][]) =>
  Object.fromEntries(settings.map(([name, value]) => [PREFIX + name, value]))
