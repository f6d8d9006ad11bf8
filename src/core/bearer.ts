/** Checks the key in an `Authorization: Bearer …` header. Takes the same time wherever a wrong key differs. */
import { createHash, timingSafeEqual } from 'node:crypto'

/** @returns whether the header bears the key */
export function bearerCheck(key: string): (authorization: string | undefined) => boolean {
  const expected = digest(key)
  return (authorization = '') => {
    const [, given] = /^Bearer +(.+)$/i.exec(authorization) ?? []
    return given !== undefined && timingSafeEqual(digest(given), expected)
  }
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
