/**
 * The WebSocket server below Engine.IO, for its option `wsEngine`: `ws` as it is, but a text leaves as one buffer and so by one
 * plain write, where `ws` writes header and payload as two (a vectored write, and the stream's machinery around it).
 */
import { WebSocket, WebSocketServer } from 'ws'
import { textFrame } from '../../core/ws-text-frame.ts'

type Options = NonNullable<ConstructorParameters<typeof WebSocketServer>[0]>
type Sent = (error?: Error) => void

class PlainWriteSocket extends WebSocket {
  override send(data: Parameters<WebSocket['send']>[0], sent?: Sent): void
  override send(data: Parameters<WebSocket['send']>[0], options: SendOptions, sent?: Sent): void
  override send(data: Parameters<WebSocket['send']>[0], options?: SendOptions | Sent, sent?: Sent): void {
    if (typeof options === 'object') super.send(data, options, sent)
    else if (typeof data !== 'string' || !this.#writePlainly(data, options)) super.send(data, options)
  }

  /** @returns false when this one is for `ws` to send: it is not open, compresses, or `ws` has changed within */
  #writePlainly(text: string, sent: Sent | undefined): boolean {
    if (this.readyState !== WebSocket.OPEN || this.extensions !== '') return false
    const sender: unknown = Reflect.get(this, '_sender')
    if (typeof sender !== 'object' || sender === null) return false
    const sendFrame: unknown = Reflect.get(sender, 'sendFrame')
    if (typeof sendFrame !== 'function') return false
    Reflect.apply(sendFrame, sender, [[textFrame(text)], sent])
    return true
  }
}

type SendOptions = Exclude<Parameters<WebSocket['send']>[1], Sent | undefined>

export class PlainWriteServer extends WebSocketServer {
  constructor(options: Options) {
    super({ ...options, WebSocket: PlainWriteSocket })
  }
}
