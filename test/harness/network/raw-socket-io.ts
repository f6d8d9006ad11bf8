/**
 * A minimal Socket.IO client over a bare WebSocket. It sends CONNECT in the turn in which the connection opens, and the first
 * event in the turn in which CONNECT is answered. A lost packet shows as silence.
 */
import { WebSocket } from 'ws'

export interface RawSession {
  worker: string
  close(): void
}

/** Without an answer within this time a packet is lost: the server answers within milliseconds. */
const SILENCE_MS = 15_000

/** Resolves when CONNECT and a first event have been answered. */
export function connectRaw(
  port: number,
  silenceMs = SILENCE_MS,
  headers: Record<string, string> = {},
): Promise<RawSession> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`, {
    perMessageDeflate: false,
    headers,
  })
  return new Promise((resolve, reject) => {
    let step = 'opening'
    const fail = (reason: string) => {
      clearTimeout(silence)
      socket.terminate()
      reject(new Error(`${reason} while ${step}`))
    }
    const silence = setTimeout(() => fail('silence'), silenceMs)
    socket.on('error', (error) => fail(error.message))
    socket.on('close', (code) => fail(`closed with ${code}`))
    socket.on('open', () => {
      step = 'waiting for CONNECT to be answered'
      socket.send('40')
    })
    socket.on('message', (data: Buffer) => {
      const text = data.toString()
      if (text === '2') socket.send('3')
      else if (text.startsWith('40')) {
        step = 'waiting for the first event to be answered'
        socket.send('420["echo",7]')
      } else if (text.startsWith('430')) {
        clearTimeout(silence)
        const [answer] = JSON.parse(text.slice(3)) as [{ worker: string }]
        resolve({ worker: answer.worker, close: () => socket.terminate() })
      }
    })
  })
}

export interface ConnectCounts {
  answered: number
  failures: string[]
}

/** Opens `total` sessions, `atATime` at once, and closes each after its answer. */
export async function connectMany(port: number, total: number, atATime: number): Promise<ConnectCounts> {
  const tally: ConnectCounts = { answered: 0, failures: [] }
  let begun = 0
  const lane = async () => {
    while (begun < total) {
      begun += 1
      await connectRaw(port).then(
        (session) => {
          tally.answered += 1
          session.close()
        },
        (error: unknown) => tally.failures.push(String(error)),
      )
    }
  }
  await Promise.all(Array.from({ length: atATime }, lane))
  return tally
}
