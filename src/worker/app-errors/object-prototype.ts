/**
 * Some old libraries add properties to `Object.prototype` by assignment. These then appear in every `for … in`, and
 * code that counts on having only its own keys fails far from there: labels of metrics, checks of messages. The
 * properties stay, but are no longer enumerated.
 */

/** Inherits nothing: a property may be called `value` or `get`. */
const NOT_ENUMERATED: PropertyDescriptor = Object.assign(Object.create(null), { enumerable: false })

/** @returns the names of those that were hidden, and of those that can't be */
export function hideInheritedProperties(): { hidden: string[]; fixed: string[] } {
  const hidden: string[] = []
  const fixed: string[] = []
  for (const name of Object.keys(Object.prototype)) {
    const isHidden = Reflect.defineProperty(Object.prototype, name, NOT_ENUMERATED)
    const names = isHidden ? hidden : fixed
    names.push(name)
  }
  return { hidden, fixed }
}
