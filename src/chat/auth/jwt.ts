/**
 * Authenticates users by JSON Web Token: `sub` is the id, `name` the name. The token is signed with a shared
 * secret (HS256) or with a key of a published key set. Never logs a token.
 */
import { createSecretKey } from 'node:crypto'
import type { JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from 'jose'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'
import { CLOCK_STEP_MS } from '../../core/clock-filter.ts'
import type { AppSettings } from '../../wire/app.ts'
import { tokenAuth, userId } from '../../wire/chat.ts'
import { RookeryError } from '../../wire/errors.ts'
import { givenName } from '../../wire/names.ts'
import { validate } from '../../wire/validate.ts'
import type { Authenticate, Identity } from './identity.ts'

/** A key set is public, so symmetric algorithms are never accepted with it. */
const KEY_SET_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]
const KEY_SET_TIMEOUT_MS = 5_000
/** How far the provider's clock may be ahead. */
const SKEW_SEC = 60

type Verify = (token: string) => Promise<{ payload: JWTPayload }>

/**
 * @param now Unix milliseconds
 * @throws when the settings name no key, or two
 */
export function jwtAuthenticator(settings: AppSettings, now: () => number): Authenticate {
  const verify = verifier(settings, now)
  return async (auth) => {
    if (!hasToken(auth)) throw new RookeryError('unauthenticated', 'this server wants a token')
    const { token } = validate(tokenAuth, auth)
    const payload = await verifiedPayload(verify, token)
    checkTimes(payload, now() / 1000)
    return identityOf(payload)
  }
}

/** A client without a token, a guest say, is unauthenticated. Its request is not malformed. */
function hasToken(auth: unknown): boolean {
  return typeof auth === 'object' && auth !== null && 'token' in auth
}

function verifier(settings: AppSettings, now: () => number): Verify {
  const { jwtSecret, jwksUrl } = settings
  if ((jwtSecret === undefined) === (jwksUrl === undefined)) {
    throw new Error('with AUTH=jwt exactly one of JWT_SECRET and JWKS_URL must be set')
  }
  const claims: JWTVerifyOptions = { requiredClaims: ['sub', 'exp'], clockTolerance: SKEW_SEC }
  if (settings.jwtIssuer !== undefined) claims.issuer = settings.jwtIssuer
  if (settings.jwtAudience !== undefined) claims.audience = settings.jwtAudience
  if (jwtSecret !== undefined) {
    const withSecret = (secret: string): Verify => {
      const key = createSecretKey(Buffer.from(secret, 'utf8'))
      return (token) =>
        jwtVerify(token, key, { ...claims, algorithms: ['HS256'], currentDate: new Date(now()) })
    }
    const { jwtSecretOther } = settings
    const first = withSecret(jwtSecret)
    return jwtSecretOther === undefined ? first : either(first, withSecret(jwtSecretOther))
  }
  const keys = remoteKeys(new URL(jwksUrl ?? ''))
  return (token) =>
    jwtVerify(token, keys, { ...claims, algorithms: KEY_SET_ALGORITHMS, currentDate: new Date(now()) })
}

const either =
  (first: Verify, other: Verify): Verify =>
  async (token) => {
    try {
      return await first(token)
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) return other(token)
      throw error
    }
  }

/**
 * A published key set. The library keeps keys for some minutes by the clock of the machine: keys that it fetched while the
 * clock was ahead would stay until that time comes. So it starts again after a jump.
 */
function remoteKeys(url: URL): JWTVerifyGetKey {
  const create = () => createRemoteJWKSet(url, { timeoutDuration: KEY_SET_TIMEOUT_MS })
  let keys = create()
  let zeroMs = clockZeroMs()
  return (header, token) => {
    const lastZeroMs = zeroMs
    zeroMs = clockZeroMs()
    if (Math.abs(zeroMs - lastZeroMs) > CLOCK_STEP_MS) keys = create()
    return keys(header, token)
  }
}

/** The time at the start of this process, as the clock of the machine tells it now. */
function clockZeroMs(): number {
  return Date.now() - performance.now()
}

/** The tolerance is for clocks that are ahead: it gives no token a longer life. */
function checkTimes({ exp = 0, iat }: JWTPayload, nowSec: number): void {
  if (exp <= nowSec) throw new RookeryError('unauthenticated', 'the token has expired')
  if (iat !== undefined && iat > nowSec + SKEW_SEC)
    throw new RookeryError('unauthenticated', "the token's claim iat is in the future")
}

async function verifiedPayload(verify: Verify, token: string): Promise<JWTPayload> {
  try {
    return (await verify(token)).payload
  } catch (error) {
    throw toRookeryError(error)
  }
}

/**
 * A key set that can't be fetched is a fault of the server and may pass. All other errors are the token's.
 */
function toRookeryError(cause: unknown): RookeryError {
  const isServerFault =
    !(cause instanceof errors.JOSEError) ||
    cause instanceof errors.JWKSTimeout ||
    cause instanceof errors.JWKSInvalid ||
    cause.code === 'ERR_JOSE_GENERIC'
  if (isServerFault)
    return new RookeryError('unavailable', 'the keys that tokens are checked with cannot be had', { cause })
  if (cause instanceof errors.JWTExpired) {
    return new RookeryError('unauthenticated', 'the token has expired', { cause })
  }
  if (cause instanceof errors.JWTClaimValidationFailed) {
    return new RookeryError('unauthenticated', `the token's claim ${cause.claim} does not hold`, { cause })
  }
  return new RookeryError('unauthenticated', 'the token is not valid', { cause })
}

function identityOf(payload: JWTPayload): Identity {
  const id = userId.safeParse(payload.sub)
  if (!id.success) {
    throw new RookeryError('unauthenticated', "the token's sub is not an id of 1-255 bytes")
  }
  const identity: Identity = { user: { id: id.data, name: givenName(payload['name'], id.data) } }
  return payload.exp === undefined ? identity : { ...identity, expiresAtMs: payload.exp * 1000 }
}
