/**
 * The HTTP side of one polling client: its own keep-alive connections, its cookies, and one outcome per
 * request.
 */
import { type IncomingMessage, type RequestOptions, request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { ClientSockets } from './client-sockets.ts'
import { type Address, wordOf } from './transport.ts'

/** A larger response counts as an error. */
const BODY_MAX_CHARACTERS = 100 * 1024 * 1024

export type HttpOutcome = { status: 200; body: string } | { status: 'failed'; word: string }

export class PollingHttp {
  readonly #address: Address
  readonly #sockets: ClientSockets
  readonly #secure: boolean
  #isOpen = true

  constructor(address: Address) {
    this.#address = address
    this.#secure = address.url.protocol === 'https:'
    this.#sockets = new ClientSockets(this.#secure, address.localAddress)
  }

  /** @param body of a POST; undefined for a GET @param answered called once, unless this is closed before */
  ask(sid: string | undefined, body: string | undefined, answered: (outcome: HttpOutcome) => void): void {
    let isAnswered = false
    const answer = (outcome: HttpOutcome) => {
      if (isAnswered || !this.#isOpen) return
      isAnswered = true
      answered(outcome)
    }
    const send = this.#secure ? secureRequest : request
    const asked = send(this.#options(sid, body), (response) => this.#read(response, answer))
    asked.on('error', (error) => answer({ status: 'failed', word: wordOf(error) }))
    asked.end(body)
  }

  close(): void {
    this.#isOpen = false
    this.#sockets.close()
  }

  cut(): void {
    this.#isOpen = false
    this.#sockets.cut()
  }

  #options(sid: string | undefined, body: string | undefined): RequestOptions {
    const { url, cookies } = this.#address
    return {
      agent: this.#sockets.agent,
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port,
      path: sid === undefined ? url.pathname + url.search : `${url.pathname}${url.search}&sid=${sid}`,
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...cookies.headers(),
        ...(body === undefined
          ? {}
          : { 'content-type': 'text/plain;charset=UTF-8', 'content-length': Buffer.byteLength(body) }),
      },
    }
  }

  #read(response: IncomingMessage, answer: (outcome: HttpOutcome) => void): void {
    this.#address.cookies.take(response.headers)
    let body = ''
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      body += text
      if (body.length > BODY_MAX_CHARACTERS) response.destroy(new Error('too large'))
    })
    response.on('error', (error) => answer({ status: 'failed', word: wordOf(error) }))
    response.on('end', () => {
      if (response.statusCode === 200) answer({ status: 200, body })
      else answer({ status: 'failed', word: String(response.statusCode) })
    })
  }
}
