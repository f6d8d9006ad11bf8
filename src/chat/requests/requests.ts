/**
 * What a client may ask: one row an event, with its schema, the rate it counts against, and who answers. Rows do no
 * checks of their own beyond what needs the room or the settings; serving a row is `desk.ts`'s.
 */
import type { z } from 'zod'
import type { AppContext } from '../../wire/app.ts'
import type { ChatAnswers, ChatEvent } from '../../wire/chat.ts'
import { charsIn, chatRequests } from '../../wire/chat.ts'
import type { AppendResult, MessageDraft } from '../../wire/entry.ts'
import { RookeryError } from '../../wire/errors.ts'
import { checkAccess } from '../auth/access.ts'
import type { Memberships } from '../rooms/memberships.ts'
import { channelOf } from '../rooms/memberships.ts'
import type { Notices } from '../rooms/user-notices.ts'
import type { Session } from '../session.ts'
import { checked } from './failures.ts'
import { history } from './pages.ts'
import type { Rates } from './rate.ts'
import type { ReadMarkers } from './read-markers.ts'
import type { RecentTracks } from './tracked-rooms.ts'

export interface Outcome {
  answer: object
  /** Called right after the answer has been sent. */
  afterwards?: () => void
}

export interface RequestRow {
  readonly rate: keyof Rates
  /** @throws `bad_request` when the payload is not as the protocol has it, and whatever the request runs into */
  serve(session: Session, payload: unknown): Promise<Outcome>
}

export interface Desk {
  readonly context: Pick<AppContext, 'rooms' | 'settings'>
  readonly memberships: Memberships
  readonly tracks: RecentTracks
  readonly markers: ReadMarkers
  /** Whether a user may come back. */
  readonly lasts: (userId: string) => boolean
  readonly notices: Notices
}

/** @throws `too_large` */
export function checkLength(text: string, maxChars: number): void {
  if (charsIn(text) > maxChars) {
    throw new RookeryError('too_large', `a text has at most ${maxChars} characters`)
  }
}

export function requestTable(desk: Desk): ReadonlyMap<string, RequestRow> {
  return new Map<ChatEvent, RequestRow>([
    ...membershipRows(desk),
    ...messageRows(desk),
    ...pageRows(desk),
    ...stateRows(desk),
  ])
}

type Row = [ChatEvent, RequestRow]

function row<S extends z.ZodType>(
  rate: keyof Rates,
  schema: S,
  serve: (session: Session, asked: z.output<S>) => Promise<Outcome>,
): RequestRow {
  return { rate, serve: async (session, payload) => serve(session, checked(schema, payload)) }
}

function membershipRows({ memberships }: Desk): Row[] {
  const join = row('request', chatRequests['room:join'], async (session, asked) => {
    checkAccess(asked.room, session.user.id)
    return memberships.join(session, asked)
  })
  const leave = row('request', chatRequests['room:leave'], async (session, { room }) => {
    checkAccess(room, session.user.id)
    await memberships.leave(session, room)
    return { answer: {} }
  })
  return [
    ['room:join', join],
    ['room:leave', leave],
  ]
}

function messageRows({ context, memberships, tracks, lasts, notices }: Desk): Row[] {
  const { rooms, settings } = context
  const append = async (session: Session, room: string, draft: MessageDraft): Promise<Outcome> => {
    checkAccess(room, session.user.id)
    if (draft.kind !== 'remove') checkLength(draft.text, settings.textMaxChars)
    await memberships.require(session, room)
    await tracks.ensure(room)
    const answer: AppendResult = await rooms.append(room, draft, { limited: lasts(draft.from.id) })
    const isText = draft.kind === 'text'
    return { answer, ...(isText && { afterwards: () => notices.text(room, draft.from, answer.seq) }) }
  }
  const send = row('message', chatRequests['message:send'], (session, { room, id, text }) =>
    append(session, room, { kind: 'text', id, from: session.user, text }),
  )
  const edit = row('message', chatRequests['message:edit'], (session, { room, id, target, text }) =>
    append(session, room, { kind: 'edit', id, from: session.user, target, text }),
  )
  const remove = row('message', chatRequests['message:remove'], (session, { room, id, target }) =>
    append(session, room, { kind: 'remove', id, from: session.user, target }),
  )
  return [
    ['message:send', send],
    ['message:edit', edit],
    ['message:remove', remove],
  ]
}

/** These need no membership: what a room holds is open to whoever may join it, and a list of rooms is read unjoined. */
function pageRows({ context: { rooms }, notices }: Desk): Row[] {
  const page = row('request', chatRequests['room:history'], async (session, asked) => {
    checkAccess(asked.room, session.user.id)
    return { answer: await session.pageInTurn(() => history(rooms, asked.room, asked)) }
  })
  const members = row('request', chatRequests['room:members'], async (session, { room }) => {
    checkAccess(room, session.user.id)
    const { members: shown, count } = await session.pageInTurn(() => rooms.members(room))
    const answer: ChatAnswers['room:members'] = { members: shown, count }
    return { answer }
  })
  const own = row('request', chatRequests.rooms, async (session) => {
    // What comes in after the answer was made is told: none falls between the two.
    await notices.reach(session)
    const answer: ChatAnswers['rooms'] = {
      rooms: await session.pageInTurn(() => rooms.userRooms(session.user.id)),
    }
    return { answer }
  })
  return [
    ['room:history', page],
    ['room:members', members],
    ['rooms', own],
  ]
}

function stateRows({ context: { rooms }, memberships, markers, lasts, notices }: Desk): Row[] {
  /** For one who never comes back nothing is stored: the others in the room are told, no more. */
  const readInPassing = async (session: Session, room: string, seq: number): Promise<number> => {
    await memberships.require(session, room)
    const { head } = await rooms.read(room, { newest: true, limit: 1 })
    return Math.min(seq, head)
  }
  const read = row('request', chatRequests['room:read'], async (session, asked) => {
    const { room } = asked
    const { id } = session.user
    checkAccess(room, id)
    const seq = await (lasts(id)
      ? rooms.markRead(id, room, asked.seq)
      : readInPassing(session, room, asked.seq))
    if (markers.moves(id, room, seq)) notices.read(room, id, seq)
    const answer: ChatAnswers['room:read'] = { seq }
    return { answer }
  })
  const typing = row('request', chatRequests.typing, async (session, asked) => {
    const { room } = asked
    await memberships.require(session, room)
    const payload = { room, user: session.user, typing: asked.typing }
    session.socket.to(channelOf(room)).volatile.emit('typing', payload)
    return { answer: {} }
  })
  return [
    ['room:read', read],
    ['typing', typing],
  ]
}
