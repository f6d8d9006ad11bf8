/** Input methods: for Chinese, Japanese, Korean and others, some keys choose characters and are not meant for the page. */

/** Whether a key belongs to a composition. Safari ends it before the key that ended it: only the key code tells. */
export function isComposing({ isComposing: isInside, keyCode }: KeyboardEvent): boolean {
  return isInside || keyCode === 229
}
