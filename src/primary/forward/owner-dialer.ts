/**
 * Opens one connection to the host that owns a session, until that host has proven itself and accepted. Sends
 * none of the client's bytes.
 */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import {
  ACCEPT_BYTES,
  type ClientAddress,
  createRequest,
  HELLO_BYTES,
  isAccept,
  isHello,
  NONCE_BYTES,
} from '../../wire/forward.ts'

export type DialFailure = 'unreachable' | 'refused' | 'not_rookery' | 'timeout' | 'left'

export interface DialOptions {
  to: { tag: string; host: string; port: number }
  client: ClientAddress
  secret: string
  /** From now on the connection carries the client's bytes. None of them has been read. */
  onAccepted(owner: Socket): void
  /** The connection is closed. */
  onFailed(reason: DialFailure, error?: Error): void
}

export class OwnerDialer {
  readonly #options: DialOptions
  readonly #owner: Socket
  #bytes = Buffer.alloc(0)
  #request: Buffer | undefined
  #done = false

  constructor(options: DialOptions) {
    this.#options = options
    const { host, port } = options.to
    this.#owner = connect({ host, port, noDelay: true, keepAlive: true, allowHalfOpen: true })
    this.#owner
      .on('data', this.#onData)
      .on('error', this.#onError)
      .on('end', this.#onClosed)
      .on('close', this.#onClosed)
  }

  fail(reason: DialFailure, error?: Error): void {
    if (this.#done) return
    this.#done = true
    this.#owner.destroy()
    this.#options.onFailed(reason, error)
  }

  readonly #onError = (error: Error) => this.fail('unreachable', error)
  readonly #onClosed = () => this.fail('refused')

  readonly #onData = (chunk: Buffer) => {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    const expectedBytes = this.#request === undefined ? HELLO_BYTES : ACCEPT_BYTES
    if (this.#bytes.length < expectedBytes) return
    if (this.#request === undefined) this.#answerHello(this.#bytes)
    else this.#checkAccept(this.#bytes, this.#request)
  }

  #answerHello(hello: Buffer): void {
    if (!isHello(hello)) {
      this.fail('not_rookery')
      return
    }
    const { to, client, secret } = this.#options
    const nonce = randomBytes(NONCE_BYTES).toString('base64url')
    this.#request = createRequest({ to: to.tag, nonce, client }, hello, secret)
    this.#bytes = Buffer.alloc(0)
    this.#owner.write(this.#request)
  }

  #checkAccept(accept: Buffer, request: Buffer): void {
    if (!isAccept(accept, request, this.#options.secret)) {
      this.fail('not_rookery')
      return
    }
    this.#done = true
    this.#owner
      .off('data', this.#onData)
      .off('error', this.#onError)
      .off('end', this.#onClosed)
      .off('close', this.#onClosed)
    this.#options.onAccepted(this.#owner)
  }
}
