/** The form of a setting, and how its environment name and its flag follow from its key. */
import type { Kind } from './kinds.ts'

/** Each setting has a second name in the environment, for what other programs there call the same. It wins. */
export const PREFIX = 'ROOKERY_'
/** A secret may be in a file, which the environment names so: `JWT_SECRET_FILE`. */
export const FILE_SUFFIX = '_FILE'

export interface About {
  readonly section: Section
  /** One line for users. */
  readonly doc: string
  readonly unit?: string
  /** The value is never shown or logged. */
  readonly secret?: boolean
  /** Shown in place of the default when that depends on the machine. */
  readonly defaultDoc?: string
  /** How the default came about on this machine, for people. */
  readonly origin?: () => string
}

export type Section =
  | 'Listening'
  | 'Application'
  | 'Several hosts'
  | 'Who may connect'
  | 'Data'
  | 'Front door'
  | 'Clients and their limits'
  | 'Start and stop'
  | 'Operation'

export interface Setting<V> extends About {
  readonly kind: Kind<unknown>
  /** The value when no source sets one. */
  readonly fallback: () => V
}

/** A setting that always has a value. */
export function required<T>(kind: Kind<T>, fallback: NoInfer<T>, about: About): Setting<T> {
  return { ...about, kind, fallback: () => fallback }
}

/** A setting whose default depends on the machine. */
export function computed<T>(
  kind: Kind<T>,
  fallback: () => NoInfer<T>,
  about: About & { defaultDoc: string },
): Setting<T> {
  return { ...about, kind, fallback }
}

export function optional<T>(kind: Kind<T>, about: About): Setting<T | undefined> {
  return { ...about, kind, fallback: () => undefined }
}

/** `maxPacketBytes` → `MAX_PACKET_BYTES` */
export function environmentName(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}

/** `maxPacketBytes` → `--max-packet-bytes` */
export function flagName(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
