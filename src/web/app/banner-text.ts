/** The text of the connection banner. Pure. */
import type { ChatState } from '../../client/index.ts'

export interface BannerText {
  readonly tone: 'info' | 'warning' | 'danger'
  readonly text: string
}

/** @param isLate the state has lasted longer than the banner delay */
export function bannerOf({ state, waiting, reason }: ChatState, isLate: boolean): BannerText | undefined {
  if (state === 'connecting' && isLate) {
    return { tone: 'info', text: `Connecting…${waitingText(waiting, 'as soon as that is done')}` }
  }
  if (state === 'offline' && isLate) {
    return { tone: 'warning', text: `You are offline.${waitingText(waiting, 'when you are back')}` }
  }
  if (state === 'degraded') {
    const why = reason === undefined || reason === 'degraded' ? '' : ` (${reason})`
    const wait = waitingText(waiting, 'when it can')
    return {
      tone: 'warning',
      text: `The server can’t store messages just now${why}. You can still read.${wait}`,
    }
  }
  if (state === 'closed')
    return { tone: 'info', text: 'This conversation has ended. Reload the page to come back.' }
  return undefined
}

function waitingText(waiting: number, until: string): string {
  if (waiting === 0) return ''
  return waiting === 1
    ? ` 1 message waits and will be sent ${until}.`
    : ` ${waiting} messages wait and will be sent ${until}.`
}
