/**
 * The WebSocket server below Engine.IO, for its option `wsEngine`. It is `ws`, except that a text message is
 * one buffer and so one plain write. `ws` itself writes header and payload as two buffers, which costs a
 * vectored write.
 */
import { WebSocket, WebSocketServer } from 'ws'
import { textFrame } from '../../core/ws-text-frame.ts'

type Options = NonNullable<ConstructorParameters<typeof WebSocketServer>[0]>
type SendCallback = (error?: Error) => void

class PlainWriteSocket extends WebSocket {
  override send(data: Parameters<WebSocket['send']>[0], callback?: SendCallback): void
  override send(data: Parameters<WebSocket['send']>[0], options: SendOptions, callback?: SendCallback): void
  override send(
    data: Parameters<WebSocket['send']>[0],
    options?: SendOptions | SendCallback,
    callback?: SendCallback,
  ): void {
    if (typeof options === 'object') super.send(data, options, callback)
    else if (typeof data !== 'string' || !this.#writePlainly(data, options)) super.send(data, options)
  }

  /**
   * @returns false when `ws` has to send it: the socket is not open or compresses, or the inside of `ws` has
   * changed
   */
  #writePlainly(text: string, callback: SendCallback | undefined): boolean {
    if (this.readyState !== WebSocket.OPEN || this.extensions !== '') return false
    const sender: unknown = Reflect.get(this, '_sender')
    if (typeof sender !== 'object' || sender === null) return false
    const sendFrame: unknown = Reflect.get(sender, 'sendFrame')
    if (typeof sendFrame !== 'function') return false
    Reflect.apply(sendFrame, sender, [[textFrame(text)], callback])
    return true
  }
}

type SendOptions = Exclude<Parameters<WebSocket['send']>[1], SendCallback | undefined>

export class PlainWriteServer extends WebSocketServer {
  constructor(options: Options) {
    super({ ...options, WebSocket: PlainWriteSocket })
  }
}
