/** A part of every fuzz at once. The same seed gives the same round. */
import * as fc from 'fast-check'
import { ChatClient } from '../client/chat-client.ts'
import type { FuzzedHost } from './host.ts'
import { answerTo, answerToHead, anyApiCall, anyHead, anyOtherRequest } from './http.ts'
import { anyPackets, anyPollingBody, tryPackets, tryPolling } from './packets.ts'
import { anyArguments, anyChatEvent, anyEventName, fuzzRooms } from './values.ts'

export async function fuzzRound({ rookery }: FuzzedHost, seed: number): Promise<void> {
  const { url, port } = rookery
  // First, because they open sessions that are abandoned and time out during the rest of the round.
  for (const head of fc.sample(anyHead, { seed, numRuns: 80 })) await answerToHead(port, head)
  const client = await ChatClient.guest(url, `fuzzer-${seed}`)
  for (const room of fuzzRooms) await client.join(room)
  for (const { event, payload } of fc.sample(anyChatEvent, { seed, numRuns: 300 }))
    await client.raw(event, payload)
  for (const [event, args] of fc.sample(fc.tuple(anyEventName, anyArguments), { seed, numRuns: 200 }))
    await client.raw(event, ...args)
  client.close()
  for (const packets of fc.sample(anyPackets, { seed, numRuns: 80 })) await tryPackets(url, packets)
  for (const body of fc.sample(anyPollingBody, { seed, numRuns: 15 })) await tryPolling(url, body)
  const requests = [anyApiCall, anyOtherRequest].flatMap((one) => fc.sample(one, { seed, numRuns: 80 }))
  for (const request of requests) await answerTo(port, request)
}
