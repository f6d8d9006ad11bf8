/** Events between the servers of a namespace (`serverSideEmit`), with and without an acknowledgement. */
import type { Namespace } from 'socket.io'
import { MessageType } from 'socket.io-adapter'
import type { AdapterMessenger } from './messenger.ts'
import type { ResponsesListener } from './pending-requests.ts'
import { incompleteError } from './pending-requests.ts'

/**
 * Calls the application's listeners.
 * @param failed called when a listener throws, or its promise rejects: nothing else may answer
 */
export type EmitServerSide = (namespace: Namespace, args: unknown[], failed: (error: unknown) => void) => void

export interface ServerSideEventsOptions {
  nsp: Namespace
  /** All servers of the namespace subscribe to it. */
  topic: string
  messenger: AdapterMessenger
  answerTimeoutMs: number
  /** Unset: as in Socket.IO. */
  emitServerSide: EmitServerSide | undefined
}

type AckCallback = (error: Error | null, responses: unknown[]) => void

export class ServerSideEvents {
  readonly #options: ServerSideEventsOptions
  readonly #emitHere: EmitServerSide
  #closed = false

  constructor(options: ServerSideEventsOptions) {
    this.#options = options
    this.#emitHere = options.emitServerSide ?? emitPlainly
  }

  close(): void {
    this.#closed = true
  }

  /**
   * When the arguments have no structured clone it throws, or passes the error to the callback if there is
   * one.
   */
  send(packet: unknown[]): void {
    const { messenger, topic } = this.#options
    const ack = packet.at(-1)
    if (isAck(ack)) this.#sendWithAck(packet.slice(0, -1), ack)
    else messenger.notify([topic], emitted(packet))
  }

  received(args: unknown[], from: string, requestId: string | undefined): void {
    const { nsp, messenger } = this.#options
    if (requestId === undefined) {
      this.#emitHere(nsp, args, () => undefined)
      return
    }
    // Only the first answer counts, and a failure is one.
    let isAnswered = false
    const once = (answer: () => void) => {
      if (isAnswered) return
      isAnswered = true
      answer()
    }
    const ack = (packet: unknown) =>
      once(() => messenger.respond(from, MessageType.SERVER_SIDE_EMIT_RESPONSE, { requestId, packet }))
    this.#emitHere(nsp, [...args, ack], (error) =>
      once(() => messenger.respondFailure(from, requestId, error)),
    )
  }

  #sendWithAck(args: unknown[], ack: AckCallback): void {
    if (this.#closed) return ack(null, [])
    const { messenger, topic, answerTimeoutMs } = this.#options
    const listener: ResponsesListener = (responses, error) =>
      ack(error ?? incompleteError(responses) ?? null, responses.values)
    try {
      messenger.request(emitted(args), { topics: [topic], timeoutMs: answerTimeoutMs }, listener)
    } catch (error) {
      ack(error instanceof Error ? error : new Error(String(error)), [])
    }
  }
}

const emitPlainly: EmitServerSide = (namespace, args, failed) => {
  try {
    namespace._onServerSideEmit(args as [string, ...unknown[]])
  } catch (error) {
    failed(error)
    throw error
  }
}

function isAck(value: unknown): value is AckCallback {
  return typeof value === 'function'
}

function emitted(packet: unknown[]) {
  return { type: MessageType.SERVER_SIDE_EMIT, data: { packet } }
}
