/** The maximum length of a message, in characters. */
import { useEffect, useState } from 'preact/hooks'
import type { ChatClient } from '../../../client/index.ts'

/** Used until the server sends its limits. */
const TEXT_MAX_CHARS = 4_000

export function useTextMax(chat: ChatClient): number {
  const [limits, setLimits] = useState(chat.limits)
  useEffect(() => {
    setLimits(chat.limits)
    return chat.on('limits', setLimits)
  }, [chat])
  return limits?.textMaxChars ?? TEXT_MAX_CHARS
}
