/** `rookery token`: makes a token like an identity provider's, for trials and scripts. */
import { SignJWT } from 'jose'
import { ConfigError } from '../config/problem.ts'
import type { Config } from '../config/schema.ts'
import { ExitError } from '../ops/exit-codes.ts'
import { type CommandLine, loadFrom, type Options } from './command-line.ts'

export async function makeToken(line: CommandLine, options: Options): Promise<void> {
  const config = loadForTokens(line, options)
  if (config.jwtSecret === undefined) {
    throw new ExitError(
      'configuration',
      'a token can be made only with JWT_SECRET; with JWKS_URL your provider makes tokens',
    )
  }
  const sub = String(options['sub'])
  const token = await claims(config, {
    sub,
    name: String(options['name'] ?? sub),
    expires: String(options['expires']),
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode(config.jwtSecret))
  process.stdout.write(`${token}\n`)
}

/** Always with AUTH=jwt, also in a shell where the server's setting is missing. */
function loadForTokens(line: CommandLine, options: Options): Config {
  try {
    return loadFrom(line, options, { auth: 'jwt' }).config
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ExitError(
      'configuration',
      `a token is made with the settings of AUTH=jwt, but ${error.message}`,
    )
  }
}

function claims(config: Config, wanted: { sub: string; name: string; expires: string }): SignJWT {
  if (!/^[1-9][0-9]{0,8} ?(s|m|h|d|w|y)$/.test(wanted.expires)) {
    throw new ExitError('usage', `--expires ${wanted.expires} is not a time such as 90s, 15m, 1h or 7d`)
  }
  const token = new SignJWT({ name: wanted.name })
    .setSubject(wanted.sub)
    .setIssuedAt()
    .setExpirationTime(wanted.expires)
  if (config.jwtIssuer !== undefined) token.setIssuer(config.jwtIssuer)
  if (config.jwtAudience !== undefined) token.setAudience(config.jwtAudience)
  return token
}
