/** Rules between settings, each with its reason. Pure. */
import { OF_THE_CHAT } from './foreign.ts'
import { redisRules } from './redis-relations.ts'
import { type Conflict, type Rule, when } from './rule.ts'
import type { Config, SettingKey } from './schema.ts'
import { environmentName } from './setting.ts'

/** Besides its text, a packet carries the room, the id, the event name and bytes of the protocol. */
const PACKET_OVERHEAD_BYTES = 1024
/** A client that escapes all but ASCII (Python's does) writes an emoji as two escapes of six bytes. */
const BYTES_PER_CHARACTER = 12

/** After the drain time a worker waits up to 4 s for open acks, and then closes everything. */
export const LEAVING_MS = 5_000

const identityKeys = ['jwtSecret', 'jwtSecretOther', 'jwksUrl', 'jwtIssuer', 'jwtAudience'] as const

const rules: readonly Rule[] = [
  ...redisRules,
  {
    of: ['auth', 'jwtSecret', 'jwksUrl'],
    check: ({ auth, jwtSecret, jwksUrl }) =>
      when(
        auth === 'jwt' && jwtSecret === undefined && jwksUrl === undefined,
        'auth',
        'AUTH=jwt needs JWT_SECRET or JWKS_URL to check tokens with',
      ),
  },
  {
    of: ['jwtSecret', 'jwksUrl'],
    check: ({ jwtSecret, jwksUrl }) =>
      when(
        jwtSecret !== undefined && jwksUrl !== undefined,
        'jwksUrl',
        'JWT_SECRET and JWKS_URL exclude each other: tokens are checked in one way only',
      ),
  },
  {
    of: ['jwtSecret', 'jwtSecretOther'],
    check: ({ jwtSecret, jwtSecretOther }) =>
      when(
        jwtSecretOther !== undefined && jwtSecret === undefined,
        'jwtSecretOther',
        'JWT_SECRET_OTHER does nothing without JWT_SECRET',
      ),
  },
  {
    of: ['jwksUrl', 'jwtAudience'],
    check: ({ jwksUrl, jwtAudience }) =>
      when(
        jwksUrl !== undefined && jwtAudience === undefined,
        'jwksUrl',
        'JWKS_URL needs JWT_AUDIENCE: the provider signs the tokens of other applications with the same keys',
      ),
  },
  {
    of: ['auth', ...identityKeys],
    check: (config) => {
      const key = identityKeys.find((candidate) => config[candidate] !== undefined)
      if (config.auth !== 'guest' || key === undefined) return undefined
      const message = `${environmentName(key)} does nothing with AUTH=guest, which admits everybody; set AUTH=jwt`
      return { key, message }
    },
  },
  {
    of: ['corsOrigin', 'corsCredentials'],
    check: ({ corsOrigin, corsCredentials }) =>
      when(
        corsCredentials && (corsOrigin === undefined || corsOrigin === '*'),
        'corsCredentials',
        'CORS_CREDENTIALS needs a list of origins in CORS_ORIGIN: browsers send no credentials to a server that admits all',
      ),
  },
  {
    of: ['port', 'adminPort'],
    check: ({ port, adminPort }) =>
      when(port !== 0 && port === adminPort, 'adminPort', 'ADMIN_PORT must differ from PORT'),
  },
  {
    of: ['stopDelayMs', 'drainMs', 'stopDeadlineMs'],
    check: ({ stopDelayMs, drainMs, stopDeadlineMs }) => {
      const leastMs = stopDelayMs + drainMs + LEAVING_MS
      const above =
        stopDelayMs === 0 ? `DRAIN_MS (${drainMs})` : `STOP_DELAY_MS and DRAIN_MS (${stopDelayMs + drainMs})`
      return when(
        stopDeadlineMs < leastMs,
        'stopDeadlineMs',
        `STOP_DEADLINE_MS (${stopDeadlineMs}) must be at least ${leastMs}, ${LEAVING_MS} above ${above}: after the drain, the last acks and the exit of a worker take up to that long`,
      )
    },
  },
  {
    of: ['maxPacketBytes', 'textMaxChars'],
    check: ({ maxPacketBytes, textMaxChars }) => {
      const needed = textMaxChars * BYTES_PER_CHARACTER + PACKET_OVERHEAD_BYTES
      return when(
        maxPacketBytes < needed,
        'maxPacketBytes',
        `MAX_PACKET_BYTES (${maxPacketBytes}) must be at least ${needed}: a message of TEXT_MAX_CHARS (${textMaxChars}) can be that large`,
      )
    },
  },
  {
    of: ['slowClientBytes', 'maxPacketBytes'],
    check: ({ slowClientBytes, maxPacketBytes }) =>
      when(
        slowClientBytes < maxPacketBytes,
        'slowClientBytes',
        `SLOW_CLIENT_BYTES (${slowClientBytes}) must be at least MAX_PACKET_BYTES (${maxPacketBytes}): one message must not make a client count as slow`,
      ),
  },
  {
    of: ['slowClientBytes', 'slowClientMaxBytes'],
    check: ({ slowClientBytes, slowClientMaxBytes }) =>
      when(
        slowClientMaxBytes <= slowClientBytes,
        'slowClientMaxBytes',
        `SLOW_CLIENT_MAX_BYTES (${slowClientMaxBytes}) must be above SLOW_CLIENT_BYTES (${slowClientBytes}): a slow client is skipped before it is disconnected`,
      ),
  },
  {
    of: ['messageRate', 'messageBurst'],
    check: ({ messageRate, messageBurst }) =>
      when(
        messageBurst < messageRate,
        'messageBurst',
        `MESSAGE_BURST (${messageBurst}) must be at least MESSAGE_RATE (${messageRate}): a second's messages may come at once`,
      ),
  },
  {
    of: ['requestRate', 'requestBurst'],
    check: ({ requestRate, requestBurst }) =>
      when(
        requestBurst < requestRate,
        'requestBurst',
        `REQUEST_BURST (${requestBurst}) must be at least REQUEST_RATE (${requestRate}): a second's requests may come at once`,
      ),
  },
]

/** @param refused settings whose value itself is not allowed */
export function conflicts(config: Config, refused: ReadonlySet<SettingKey>): Conflict[] {
  const isChat = config.app === undefined
  return rules
    .filter((rule) => !rule.of.some((key) => refused.has(key) || (!isChat && OF_THE_CHAT.has(key))))
    .map((rule) => rule.check(config))
    .filter((conflict) => conflict !== undefined)
}
