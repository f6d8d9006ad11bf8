/** The options of the chat as a part of an application. Settings of the operator that are for the chat alone are not read. */
import type { Socket } from 'socket.io'
import { z } from 'zod'
import type { AppSettings } from '../wire/app.ts'
import { chatAuthor } from '../wire/chat.ts'
import { type Author, ownKind } from '../wire/entry.ts'
import { RookeryError } from '../wire/errors.ts'
import { isSecureUrl } from '../wire/secure-url.ts'
import type { Identity } from './auth/identity.ts'
import type { Mounting } from './chat.ts'
import type { Authorize } from './requests/access.ts'

/** Users come with a token. Exactly one of `secret` and `jwksUrl`, which needs `audience`. */
export interface JwtOptions {
  secret?: string
  /** Its tokens are accepted too, while you change `secret`. */
  otherSecret?: string
  /** https, or http to this machine. */
  jwksUrl?: string
  issuer?: string
  audience?: string
}

export interface ChatOptions {
  /** Of Socket.IO; default `/`. */
  namespace?: string
  /**
   * Who a connection is: `guest` (the default), by token, or what your function says. A connection for which it
   * returns nothing is refused as `unauthenticated`; one for which it throws, with the error.
   */
  auth?: 'guest' | JwtOptions | ((socket: Socket) => Author | undefined | Promise<Author | undefined>)
  /** Whether a user may join, read or write. By default everybody may, except in direct rooms of others. */
  authorize?: Authorize
  /** Kinds of your own that clients may append. By default none. */
  kinds?: readonly string[]
  /** Where its page is served: `/chat/`. By default nowhere. */
  page?: string
  /** Key of the HTTP API, at `/api`. Without it there is none. */
  apiKey?: string
  /** Whether users find all people that the chat knows; default true. */
  peopleSearch?: boolean
  /** Longest text, in Unicode code points. By default the setting TEXT_MAX_CHARS. */
  textMaxChars?: number
  /** By default the setting ROOMS_PER_SOCKET. */
  roomsPerSocket?: number
}

const SECRET_MIN_CHARS = 32
const path = z.string().regex(/^\/(?:[A-Za-z0-9._~-]+\/)*$/, 'a path such as /chat/')
const line = z.string().min(1).max(1024)
const isFunction = (value: unknown) => typeof value === 'function'
const jwtSecret = z.string().min(SECRET_MIN_CHARS, `a secret has at least ${SECRET_MIN_CHARS} characters`)
const jwt = z
  .strictObject({
    secret: jwtSecret.optional(),
    otherSecret: jwtSecret.optional(),
    jwksUrl: z.string().refine(isSecureUrl, 'an https URL').optional(),
    issuer: line.optional(),
    audience: line.optional(),
  })
  .refine(
    ({ secret, jwksUrl }) => (secret === undefined) !== (jwksUrl === undefined),
    'either secret or jwksUrl',
  )
  .refine(
    ({ jwksUrl, audience, secret, otherSecret }) =>
      (jwksUrl === undefined || audience !== undefined) &&
      (otherSecret === undefined || secret !== undefined),
    'jwksUrl needs audience, otherSecret needs secret',
  )

type AuthFunction = Extract<ChatOptions['auth'], (socket: Socket) => unknown>
const schema = z.strictObject({
  namespace: z
    .string()
    .regex(/^\/[A-Za-z0-9._~/-]*$/, 'a namespace such as /chat')
    .default('/'),
  auth: z
    .union([z.literal('guest'), z.custom<AuthFunction>(isFunction), jwt], {
      error:
        "'guest', a function, or exactly one of secret (of at least 32 characters) and jwksUrl (https, with audience), with issuer, otherSecret",
    })
    .default('guest'),
  authorize: z.custom<Authorize>(isFunction, 'a function').optional(),
  kinds: z.array(ownKind).max(1_000).default([]),
  page: path.optional(),
  apiKey: line.min(16, 'a key has at least 16 characters').optional(),
  peopleSearch: z.boolean().default(true),
  textMaxChars: z.int().min(1).max(1_000_000).optional(),
  roomsPerSocket: z.int().min(1).max(100_000).optional(),
})

export interface ChatSettings {
  namespace: string
  page: string | undefined
  mounting: Mounting
  settings: Partial<AppSettings>
}

/** @throws when an option is wrong */
export function settingsOf(options: ChatOptions): ChatSettings {
  const checked = schema.safeParse(options)
  if (!checked.success) {
    const [issue] = checked.error.issues
    throw new Error(`chat(): ${[...(issue?.path ?? []), issue?.message].join(': ')}`)
  }
  const { namespace, page, auth, authorize, kinds, apiKey, peopleSearch, textMaxChars, roomsPerSocket } =
    checked.data
  const authenticate = typeof auth === 'function' ? (socket: Socket) => identityOf(auth, socket) : undefined
  return {
    namespace,
    page,
    mounting: { authenticate, authorize, kinds, api: apiKey !== undefined },
    settings: {
      ...tokenSettings(typeof auth === 'object' ? auth : undefined),
      apiKey,
      peopleSearch,
      ...(textMaxChars !== undefined && { textMaxChars }),
      ...(roomsPerSocket !== undefined && { roomsPerSocket }),
    },
  }
}

function tokenSettings(jwtOptions: z.infer<typeof jwt> | undefined): Partial<AppSettings> {
  const { secret, otherSecret, jwksUrl, issuer, audience } = jwtOptions ?? {}
  return {
    auth: jwtOptions === undefined ? 'guest' : 'jwt',
    jwtSecret: secret,
    jwtSecretOther: otherSecret,
    jwksUrl,
    jwtIssuer: issuer,
    jwtAudience: audience,
  }
}

async function identityOf(auth: AuthFunction, socket: Socket): Promise<Identity> {
  const user = await auth(socket)
  if (user === undefined) throw new RookeryError('unauthenticated', 'the application does not know this user')
  return { user: chatAuthor.parse(user) }
}
