/** The text of the connection banner. Pure. */
import type { ChatState } from '../../client/index.ts'

export interface BannerText {
  readonly tone: 'info' | 'warning' | 'danger'
  readonly text: string
}

/** @param isLate the state has lasted longer than the banner delay */
export function bannerOf({ state, waiting, reason }: ChatState, isLate: boolean): BannerText | undefined {
  if (state === 'connecting' && isLate) {
    return { tone: 'info', text: `Connecting…${waitingText(waiting, 'once connected')}` }
  }
  if (state === 'offline' && isLate) {
    return { tone: 'warning', text: `You are offline.${waitingText(waiting, 'when you are back online')}` }
  }
  if (state === 'degraded') {
    const why = reason === undefined || reason === 'degraded' ? '' : ` (${reason})`
    const wait = waitingText(waiting, 'once it can')
    return {
      tone: 'warning',
      text: `The server can’t store messages right now${why}. You can still read.${wait}`,
    }
  }
  if (state === 'closed')
    return { tone: 'info', text: 'You have been disconnected. Reload the page to reconnect.' }
  return undefined
}

function waitingText(waiting: number, until: string): string {
  if (waiting === 0) return ''
  return waiting === 1
    ? ` 1 unsent message will be sent ${until}.`
    : ` ${waiting} unsent messages will be sent ${until}.`
}
