import { randomUUID } from 'node:crypto'
import { afterEach } from 'vitest'
import { ChatClient, type ClientOptions, guestElsewhere } from './chat-client.ts'

/**
 * The chat clients of a test file: each is closed after the test that opened it. `afterEach` hooks run last
 * to first: call this after a hook that stops the server.
 */
export function chatClients(url: () => string) {
  const clients: ChatClient[] = []
  afterEach(() => {
    for (const client of clients.splice(0)) client.close()
  })
  const kept = (client: ChatClient): ChatClient => {
    clients.push(client)
    return client
  }
  return {
    connect: (options: ClientOptions): ChatClient => kept(new ChatClient(url(), options)),
    guest: async (
      name = `Ada ${randomUUID().slice(0, 8)}`,
      options: ClientOptions = {},
    ): Promise<ChatClient> => kept(await ChatClient.guest(url(), name, options)),
    /** On another worker than `than`. */
    guestElsewhere: async (name: string, than: ChatClient): Promise<ChatClient> =>
      kept(await guestElsewhere(url(), name, than)),
  }
}
