/** Replaces methods of the libraries below the application, to stand between them and the application's code. */
import type { Logger } from 'pino'

export type Method = (this: unknown, ...args: unknown[]) => unknown

/** Another version of the library may lack the method: then only the log says so. */
export function wrapMethod(
  target: object,
  name: string,
  { logger, wrap }: { logger: Logger; wrap: (original: Method) => Method },
): void {
  const original: unknown = Reflect.get(target, name)
  if (isMethod(original)) Reflect.set(target, name, wrap(original))
  else
    logger.warn({ method: name }, 'errors of the application are not contained everywhere: a method is gone')
}

export function isMethod(value: unknown): value is Method {
  return typeof value === 'function'
}
