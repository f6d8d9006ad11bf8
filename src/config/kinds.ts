/**
 * The types of value that a setting can have: how text is parsed, which values are allowed, and how the docs
 * say so. Pure; knows no setting by name.
 */
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { z } from 'zod'
import { isSecureUrl } from '../wire/secure-url.ts'
import { parseRedisUrls } from './redis-url.ts'

export interface Kind<T> {
  readonly type: z.ZodType<T>
  /** Completes the sentence "… is not allowed; expected …". */
  readonly expects: string
  /**
   * Parses text (environment, flag) to the value that a JSON file would hold. `type` refuses text that can't
   * be parsed.
   */
  readonly fromText: (given: string) => unknown
}

const asIs = (given: string): unknown => given

export function integer(min: number, max: number): Kind<number> {
  return {
    type: z.int().min(min).max(max),
    expects: `a whole number from ${min} to ${max}`,
    fromText: (given) => (/^[0-9]{1,15}$/.test(given) ? Number(given) : given),
  }
}

export function choice<const T extends string>(...names: readonly T[]): Kind<T> {
  return { type: z.enum(names), expects: `one of ${names.join(', ')}`, fromText: asIs }
}

export function toggle(): Kind<boolean> {
  return {
    type: z.boolean(),
    expects: 'true or false',
    fromText: (given) => (given === 'true' ? true : given === 'false' ? false : given),
  }
}

export function text(pattern: RegExp, expects: string): Kind<string> {
  return { type: z.string().regex(pattern), expects, fromText: asIs }
}

export function secret(minBytes: number): Kind<string> {
  return {
    type: z.string().refine((value) => Buffer.byteLength(value) >= minBytes),
    expects: minBytes > 1 ? `at least ${minBytes} bytes` : 'a text that is not empty',
    fromText: asIs,
  }
}

/** Several secrets, separated by commas. */
export function secrets(minBytes: number, max: number): Kind<string> {
  const areAllowed = (parts: readonly string[]) =>
    parts.length <= max && parts.every((part) => Buffer.byteLength(part) >= minBytes)
  return {
    type: z.string().refine((value) => areAllowed(value.split(','))),
    expects: `at most ${max} secrets separated by commas, each at least ${minBytes} bytes`,
    fromText: asIs,
  }
}

/**
 * A path. Relative paths are resolved from the working directory, so that every process uses the same place.
 */
export function path(): Kind<string> {
  return {
    type: z
      .string()
      .min(1)
      .max(4096)
      .refine((value) => !value.includes('\0'))
      .transform((value) => resolve(value)),
    expects: 'a path',
    fromText: asIs,
  }
}

/** One Redis address, or several separated by commas. */
export function redisUrls(): Kind<string> {
  return {
    type: z
      .string()
      .max(8_192)
      .refine((value) => parseRedisUrls(value) !== undefined),
    expects:
      'redis://user:password@host:port/database, rediss://… or unix:/path, or several separated by commas; in user and password, characters such as @ / # : are written as %40 %2F %23 %3A; the only parameter is ?family=0, 4 or 6 (0: IPv4 or IPv6)',
    fromText: asIs,
  }
}

/** A URL from which keys are fetched. It has no credentials, so it may be shown to anybody. */
export function secureUrl(): Kind<string> {
  return {
    type: z.string().refine(isSecureUrl),
    expects:
      'a URL that begins with https://, or with http:// and an address of this machine, without user and password',
    fromText: asIs,
  }
}

/** Addresses, and networks in CIDR notation. */
export function networks(): Kind<string[]> {
  return {
    type: z.array(z.string().refine(isNetwork)).min(1).max(256),
    expects: 'a list of addresses and networks such as 10.0.0.5,10.1.0.0/16,fd00::/8',
    fromText: (value) => value.split(',').map((part) => part.trim()),
  }
}

function isNetwork(value: string): boolean {
  const [, address = '', bits] = /^([0-9A-Fa-f.:]+)(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(value) ?? []
  const family = isIP(address)
  return family !== 0 && Number(bits ?? 0) <= (family === 4 ? 32 : 128)
}

/** Web origins that may call from a browser, or `*` for all. */
export function origins(): Kind<'*' | string[]> {
  const origin = z.string().refine((value) => URL.canParse(value) && new URL(value).origin === value)
  return {
    type: z.union([z.literal('*'), z.array(origin).min(1)]),
    expects: '* or a list of origins such as https://chat.example.org,http://localhost:8080',
    fromText: (value) => (value.trim() === '*' ? '*' : value.split(',').map((part) => part.trim())),
  }
}
