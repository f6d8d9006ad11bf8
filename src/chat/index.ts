/** `rookery/chat`: the chat and its client's rooms, mounted beside an application's own events. */
import type { Namespace } from 'socket.io'
import type { AppContext } from '../wire/app.ts'
import { serveChat } from './chat.ts'
import { type ChatOptions, settingsOf } from './options.ts'
import { mountPage } from './page.ts'

export type { Author } from '../wire/entry.ts'
export type { ChatOptions, JwtOptions } from './options.ts'
export type { Authorize, RoomAccess } from './requests/access.ts'

/** A server whatever its types of events: those of the application are not the chat's. */
interface AnyServer {
  of(namespace: string): object
  path(): string
}

const mounted = new WeakSet<AppContext['metrics']>()

/** An `App` for servers of any types. */
export type MountedChat = (io: AnyServer, context: AppContext) => void

/**
 * An application of its own, or a part of yours: `chat({ … })(io, context)`, once per worker.
 * @throws when an option is wrong
 */
export function chat(options: ChatOptions = {}): MountedChat {
  const { namespace, page, mounting, settings } = settingsOf(options)
  return (io, context) => {
    if (mounted.has(context.metrics))
      throw new Error('the chat is mounted already: mount it once in each worker, in one namespace')
    mounted.add(context.metrics)
    serveChat(
      io.of(namespace) as Namespace,
      { ...context, settings: { ...context.settings, ...settings } },
      mounting,
    )
    if (page !== undefined) mountPage(context.http, { path: page, socketPath: io.path(), namespace })
  }
}
