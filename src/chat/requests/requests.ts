/**
 * The requests that a client may make: one handler per event, with its schema and its rate limit. Handlers
 * check only what needs the room or the settings; the dispatcher does the rest.
 */
import type { z } from 'zod'
import type { AppContext } from '../../wire/app.ts'
import type { ChatAnswers, ChatEvent, FoundPerson } from '../../wire/chat.ts'
import { charsIn, chatRequests } from '../../wire/chat.ts'
import { directRoom } from '../../wire/chat-direct.ts'
import type { AppendResult, MessageDraft } from '../../wire/entry.ts'
import { RookeryError } from '../../wire/errors.ts'
import { validate } from '../../wire/validate.ts'
import { checkAccess } from '../auth/access.ts'
import type { Memberships } from '../rooms/memberships.ts'
import { channelOf } from '../rooms/memberships.ts'
import { history } from '../rooms/pages.ts'
import { isEarlierName, type RoomNames } from '../rooms/room-names.ts'
import type { TrackedRooms } from '../rooms/tracked-rooms.ts'
import type { UserNotices } from '../rooms/user-notices.ts'
import type { Session } from '../session.ts'
import type { Access, RoomAccess } from './access.ts'
import type { Rates } from './rate.ts'
import type { ReadMarkers } from './read-markers.ts'

export interface RequestResult {
  answer: object
  /** Called right after the answer was sent. */
  onSent?: () => void
}

export interface RequestHandler {
  /** A `page` is counted by `Session.runPageRequest`. */
  readonly rate: keyof Rates
  /** @throws `bad_request` when the payload does not fit the schema, and any error of the request */
  serve(session: Session, payload: unknown): Promise<RequestResult>
}

export interface RequestContext {
  readonly context: Pick<AppContext, 'rooms' | 'settings'>
  readonly memberships: Memberships
  readonly trackedRooms: TrackedRooms
  readonly markers: ReadMarkers
  /** Whether a user can come back. */
  readonly isPersistentUser: (userId: string) => boolean
  readonly notices: UserNotices
  /** Over all workers and hosts. */
  readonly findPeople: (search: string, max: number) => Promise<FoundPerson[]>
  readonly names: RoomNames
  readonly access: Access
  /** Kinds of the application that clients may append. */
  readonly ownKinds: ReadonlySet<string>
}

/** @throws `too_large` */
export function checkLength(text: string, maxChars: number): void {
  if (charsIn(text) > maxChars) {
    throw new RookeryError('too_large', `a text has at most ${maxChars} characters`)
  }
}

export function createRequestHandlers(context: RequestContext): ReadonlyMap<string, RequestHandler> {
  return new Map<ChatEvent, RequestHandler>([
    ...membershipHandlers(context),
    ...messageHandlers(context),
    ...pageHandlers(context),
    ...peopleHandlers(context),
    ...stateHandlers(context),
  ])
}

type NamedHandler = [ChatEvent, RequestHandler]

function handler<S extends z.ZodType>(
  rate: keyof Rates,
  schema: S,
  serve: (session: Session, asked: z.output<S>) => Promise<RequestResult>,
): RequestHandler {
  return { rate, serve: async (session, payload) => serve(session, validate(schema, payload)) }
}

/** For a request about a room, which may be named in any spelling. */
function roomHandler<S extends z.ZodType<{ room: string }>>(
  names: RoomNames,
  rate: keyof Rates,
  schema: S,
  serve: (session: Session, asked: z.output<S>) => Promise<RequestResult>,
): RequestHandler {
  return handler(rate, schema, async (session, asked) => {
    const found = names.of(session, asked.room)
    const room = typeof found === 'string' ? found : await found
    return serve(session, room === asked.room ? asked : { ...asked, room })
  })
}

function membershipHandlers({ memberships, names, access }: RequestContext): NamedHandler[] {
  const join = roomHandler(names, 'page', chatRequests['room:join'], async (session, asked) => {
    const allowed = access.check(session, { action: 'join', room: asked.room })
    if (allowed !== undefined) await allowed
    return memberships.join(session, asked)
  })
  const leave = roomHandler(names, 'request', chatRequests['room:leave'], async (session, { room }) => {
    checkAccess(room, session.user.id)
    await memberships.leave(session, room)
    return { answer: {} }
  })
  return [
    ['room:join', join],
    ['room:leave', leave],
  ]
}

function messageHandlers({
  context,
  memberships,
  trackedRooms,
  isPersistentUser,
  notices,
  names,
  access,
  ownKinds,
}: RequestContext): NamedHandler[] {
  const { rooms, settings } = context
  const append = async (session: Session, room: string, draft: MessageDraft): Promise<RequestResult> => {
    const { kind } = draft
    const wanted: RoomAccess = { action: 'write', room, kind }
    const allowed = access.check(session, 'data' in draft ? { ...wanted, data: draft.data } : wanted)
    if (allowed !== undefined) await allowed
    if ('text' in draft) checkLength(draft.text, settings.textMaxChars)
    await memberships.require(session, room)
    await trackedRooms.ensure(room)
    const answer: AppendResult = await rooms.append(room, draft, { limited: isPersistentUser(draft.from.id) })
    const isText = kind === 'text'
    return { answer, ...(isText && { onSent: () => notices.text(room, draft.from, answer.seq) }) }
  }
  const send = roomHandler(names, 'message', chatRequests['message:send'], (session, { room, id, text }) =>
    append(session, room, { kind: 'text', id, from: session.user, text }),
  )
  const edit = roomHandler(
    names,
    'message',
    chatRequests['message:edit'],
    (session, { room, id, target, text }) =>
      append(session, room, { kind: 'edit', id, from: session.user, target, text }),
  )
  const remove = roomHandler(
    names,
    'message',
    chatRequests['message:remove'],
    (session, { room, id, target }) =>
      append(session, room, { kind: 'remove', id, from: session.user, target }),
  )
  const own = roomHandler(names, 'message', chatRequests['entry:append'], async (session, asked) => {
    const { room, id, kind, data } = asked
    if (!ownKinds.has(kind)) throw new RookeryError('forbidden', 'entries of this kind are not taken here')
    return append(session, room, { kind, id, from: session.user, ...(data !== undefined && { data }) })
  })
  return [
    ['entry:append', own],
    ['message:send', send],
    ['message:edit', edit],
    ['message:remove', remove],
  ]
}

/**
 * These need no membership: everyone who may join a room may read it, and a list of rooms is read before
 * joining.
 */
function pageHandlers({ context: { rooms }, notices, names, access }: RequestContext): NamedHandler[] {
  const page = roomHandler(names, 'page', chatRequests['room:history'], async (session, asked) => {
    const allowed = access.check(session, { action: 'read', room: asked.room })
    if (allowed !== undefined) await allowed
    return { answer: await session.runPageRequest(() => history(rooms, asked.room, asked)) }
  })
  const own = handler('page', chatRequests.rooms, async (session) => {
    // Subscribe first, so that no message falls between the answer and the notifications.
    await notices.subscribe(session)
    const tracked = await session.runPageRequest(() => rooms.userRooms(session.user.id))
    // Without messages, a room of before can't be found by its name any more.
    const found = tracked.filter(({ room, head }) => head > 0 || !isEarlierName(room))
    const answer: ChatAnswers['rooms'] = { rooms: found }
    return { answer }
  })
  const direct = handler('request', chatRequests['dm:open'], async (session, { user }) => {
    const room = directRoom(session.user.id, user)
    if (room === undefined) throw new RookeryError('bad_request', 'user: not an id')
    const answer: ChatAnswers['dm:open'] = { room }
    return { answer }
  })
  return [
    ['dm:open', direct],
    ['room:history', page],
    ['rooms', own],
  ]
}

function peopleHandlers({
  context: { rooms, settings },
  findPeople,
  names,
  access,
}: RequestContext): NamedHandler[] {
  const members = roomHandler(names, 'page', chatRequests['room:members'], async (session, asked) => {
    const { room, ...view } = asked
    const allowed = access.check(session, { action: 'read', room })
    if (allowed !== undefined) await allowed
    const { members: shown, count } = await session.runPageRequest(() => rooms.members(room, view))
    const answer: ChatAnswers['room:members'] = { members: shown, count }
    return { answer }
  })
  const search = handler('page', chatRequests['people:search'], async (session, asked) => {
    if (!settings.peopleSearch) throw new RookeryError('forbidden', 'people can’t be searched for here')
    const people = await session.runPageRequest(() => findPeople(asked.search, asked.limit))
    const answer: ChatAnswers['people:search'] = { people }
    return { answer }
  })
  return [
    ['room:members', members],
    ['people:search', search],
  ]
}

function stateHandlers({
  context: { rooms },
  memberships,
  markers,
  isPersistentUser,
  notices,
  names,
}: RequestContext): NamedHandler[] {
  /** For users that can't come back: the room is notified, but nothing is stored. */
  const readUnstored = async (session: Session, room: string, seq: number): Promise<number> => {
    await memberships.require(session, room)
    const { head } = await rooms.read(room, { newest: true, limit: 1 })
    return Math.min(seq, head)
  }
  const read = roomHandler(names, 'request', chatRequests['room:read'], async (session, asked) => {
    const { room } = asked
    const { id } = session.user
    checkAccess(room, id)
    const seq = await (isPersistentUser(id)
      ? rooms.markRead(id, room, asked.seq)
      : readUnstored(session, room, asked.seq))
    if (markers.advance(id, room, seq)) notices.read(room, id, seq)
    const answer: ChatAnswers['room:read'] = { seq }
    return { answer }
  })
  const typing = roomHandler(names, 'request', chatRequests.typing, async (session, asked) => {
    const { room } = asked
    await memberships.require(session, room)
    const payload = { room, user: session.user, typing: asked.typing }
    const others = session.socket.to(channelOf(room))
    // Clients repeat that they are typing; a lost end would stay on the others' screens.
    ;(asked.typing ? others.volatile : others).emit('typing', payload)
    return { answer: {} }
  })
  return [
    ['room:read', read],
    ['typing', typing],
  ]
}
