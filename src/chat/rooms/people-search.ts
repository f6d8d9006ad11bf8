/** Searches for people on all workers of all hosts: each knows those who are connected to it. */
import type { Namespace } from 'socket.io'
import { z } from 'zod'
import { withTimeout } from '../../core/with-timeout.ts'
import type { FoundPerson } from '../../wire/chat.ts'
import { author } from '../../wire/entry.ts'
import { type People, togetherFound } from './people.ts'

const PEOPLE_SEARCH = 'rookery:people-search'
/** A worker that does not answer, or is of an earlier version, holds up no search for longer. */
const ANSWER_MS = 1_000

const answers = z.array(z.array(author.extend({ present: z.boolean() })))

/** @param failed is told when a worker that is alive has not answered; the search goes on without it */
export function peopleSearch(
  io: Namespace,
  people: People,
  failed: (error: unknown) => void,
): (search: string, max: number) => Promise<FoundPerson[]> {
  io.on(PEOPLE_SEARCH, (search: string, max: number, answer: (found: FoundPerson[]) => void) =>
    answer(people.find(search, max)),
  )
  const ofOthers = async (search: string, max: number): Promise<FoundPerson[]> => {
    try {
      return answers.parse(await io.serverSideEmitWithAck(PEOPLE_SEARCH, search, max)).flat()
    } catch (error) {
      failed(error)
      const came = answers.safeParse(error instanceof Error ? Reflect.get(error, 'responses') : undefined)
      return came.success ? came.data.flat() : []
    }
  }
  return async (search, max) => {
    const others = await withTimeout(ANSWER_MS, ofOthers(search, max), () => [])
    return togetherFound([...people.find(search, max), ...others], search, max)
  }
}
