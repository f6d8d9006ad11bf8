/** What a setting is, and how its names in the environment and on the command line follow from its key. */
import type { Kind } from './kinds.ts'

export interface About {
  readonly section: Section
  /** One line, for a reader who does not know the code. */
  readonly doc: string
  readonly unit?: string
  /** Its value is never shown or logged. */
  readonly secret?: boolean
  /** Stands for the default in documents, when that depends on the machine. */
  readonly defaultDoc?: string
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
  /** The value when no source names one. */
  readonly fallback: () => V
}

/** A setting that always has a value. */
export function required<T>(kind: Kind<T>, fallback: NoInfer<T>, about: About): Setting<T> {
  return { ...about, kind, fallback: () => fallback }
}

/** One whose default depends on the machine. */
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
