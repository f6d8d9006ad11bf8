/** The sidebar: the user's rooms and direct conversations, the search, and the user menu. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Author, FoundPerson } from '../../client/index.ts'
import { usePage } from '../app/page.ts'
import { isComposing } from '../components/composing.ts'
import { CloseIcon, PlusIcon, SearchIcon } from '../components/icons.tsx'
import { Wordmark } from '../components/wordmark.tsx'
import { useShortIds, useSkeleton } from '../conversation/short-ids.tsx'
import { InviteCard } from '../dialogs/invite.tsx'
import type { Session } from '../session/session.ts'
import { useFound } from '../session/use-found.ts'
import { PeopleList } from './people-list.tsx'
import { peopleFound } from './people-search.ts'
import { RoomList } from './room-list.tsx'
import {
  itemsFound,
  type Offer,
  offerFor,
  othersOf,
  type RoomListItem,
  roomAlike,
} from './room-list-model.ts'
import { RoomOrder } from './room-order.ts'
import { UserMenu } from './user-menu.tsx'

/** More are not looked through: a longer search finds fewer. */
const PEOPLE_SHOWN_MAX = 20

export function Sidebar({ session }: { readonly session: Session }) {
  const page = usePage()
  const [search, setSearch] = useState('')
  const field = useRef<HTMLInputElement>(null)
  const nav = useRef<HTMLElement>(null)
  useFindKey(field)
  const items = session.rooms.items.value
  const order = useMemo(() => new RoomOrder(), [session])
  const sections = order.sectionsOf(items, page.room.value)
  const rooms = itemsFound(sections.rooms, search)
  const direct = itemsFound(sections.direct, search)
  const shortIds = useShortIds(() => othersOf(items), [items])
  const isSearching = search.trim() !== ''
  const named = isRoomSearch(search) ? '' : search.trim().replace(/^@/, '')
  const found = useFound(
    named,
    useCallback((part: string) => session.chat.findPeople(part), [session]),
  )
  const people =
    named === '' ? [] : newPeople([...session.rooms.people(), ...withoutUser(session, found)], direct, named)
  const offer = offerFor(items, search, session.chat.limits?.roomMaxChars)
  const open = (room: string) => {
    setSearch('')
    page.open(room)
  }
  const enter = () => {
    const room = bestOf([...rooms, ...direct], offer, search)
    const [person] = people
    const wantsPerson =
      room === undefined || (offer?.kind === 'open' && room === offer.room && !isRoomSearch(search))
    if (person !== undefined && wantsPerson) {
      setSearch('')
      page.openDirect(person)
    } else if (room !== undefined) open(room)
  }
  const shown = rooms.length + direct.length + people.length
  const isEmpty = shown === 0
  return (
    <nav
      ref={nav}
      class="sidebar"
      aria-label="Rooms and people"
      onKeyDown={(event) => moveInList(event, nav.current)}
    >
      <header class="sidebar-header">
        <h1 class="sidebar-title">
          <Wordmark />
        </h1>
        <button
          type="button"
          class="icon-button"
          aria-label="Join or create a room"
          onClick={() => field.current?.focus()}
        >
          <PlusIcon />
        </button>
      </header>
      <FindField field={field} search={search} setSearch={setSearch} enter={enter} />
      <div class="sidebar-lists">
        {rooms.length > 0 && (
          <RoomList title="Rooms" items={rooms} shortIds={shortIds} onOpened={() => setSearch('')} />
        )}
        {direct.length > 0 && (
          <RoomList
            title="Direct messages"
            items={direct}
            shortIds={shortIds}
            onOpened={() => setSearch('')}
          />
        )}
        {people.length > 0 && (
          <PeopleList people={people} present={presentOf(session, found)} onOpened={() => setSearch('')} />
        )}
        {offer !== undefined && <OfferRow offer={offer} items={items} open={open} />}
        {isEmpty && offer === undefined && (
          <EmptyList isSearching={isSearching} isKnown={session.rooms.isLoaded.value} />
        )}
        <p class="visually-hidden" role="status">
          {isSearching ? `${shown} found` : ''}
        </p>
        {!isSearching && <InviteCard session={session} />}
      </div>
      <UserMenu session={session} />
    </nav>
  )
}

interface FindFieldProps {
  readonly field: preact.RefObject<HTMLInputElement | null>
  readonly search: string
  readonly setSearch: (search: string) => void
  readonly enter: () => void
}

const FIND_KEYS = /mac|iphone|ipad/i.test(navigator.userAgent) ? '⌘K' : 'Ctrl K'

function FindField({ field, search, setSearch, enter }: FindFieldProps) {
  const pressed = (event: KeyboardEvent) => {
    if (isComposing(event)) return
    if (event.key === 'Enter') enter()
    else if (event.key === 'Escape' && search !== '') setSearch('')
    else return
    event.preventDefault()
  }
  return (
    <div class="find" role="search">
      <SearchIcon size={18} />
      <input
        ref={field}
        class="find-input"
        type="text"
        inputMode="search"
        dir="auto"
        aria-label="Find a room or a person, or name a new room"
        placeholder="Find or create"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        value={search}
        onInput={(event) => setSearch(event.currentTarget.value)}
        onKeyDown={pressed}
      />
      {search === '' ? (
        <kbd class="find-keys" aria-hidden="true">
          {FIND_KEYS}
        </kbd>
      ) : (
        <button
          type="button"
          class="icon-button icon-button-small"
          aria-label="Clear"
          onClick={() => setSearch('')}
        >
          <CloseIcon size={16} />
        </button>
      )}
    </div>
  )
}

interface OfferRowProps {
  readonly offer: Offer
  readonly items: readonly RoomListItem[]
  readonly open: (room: string) => void
}

function OfferRow({ offer, items, open }: OfferRowProps) {
  const skeleton = useSkeleton(offer.kind === 'open')
  if (offer.kind === 'problem') {
    return (
      <p class="offer-problem" role="status">
        {offer.text}
      </p>
    )
  }
  const alike = roomAlike(items, offer.room, skeleton)
  return (
    <>
      <button type="button" class="offer" data-room-link onClick={() => open(offer.room)}>
        <span class="offer-mark">
          <PlusIcon size={16} />
        </span>
        <span class="clipped">
          Join or create{' '}
          <strong>
            #<bdi>{offer.room}</bdi>
          </strong>
        </span>
      </button>
      {alike !== undefined && (
        <p class="offer-problem" role="status">
          It looks like #<bdi>{alike}</bdi>, but it is another room.
        </p>
      )}
    </>
  )
}

function EmptyList({ isSearching, isKnown }: { readonly isSearching: boolean; readonly isKnown: boolean }) {
  if (isSearching) return <p class="sidebar-empty">No matches</p>
  return (
    <p class="sidebar-empty">
      {isKnown
        ? 'You are not in any room yet. Enter a name above to join or create one.'
        : 'Loading your rooms…'}
    </p>
  )
}

/** People whose conversation is not among those that the search has found. */
function newPeople(
  people: readonly Author[],
  direct: readonly RoomListItem[],
  search: string,
): readonly Author[] {
  const listed = new Set(direct.map(({ other }) => other?.id))
  return peopleFound(
    people.filter(({ id }) => !listed.has(id)),
    search,
    PEOPLE_SHOWN_MAX,
  )
}

function withoutUser({ me }: Session, found: readonly FoundPerson[]): readonly FoundPerson[] {
  return found.filter(({ id }) => id !== me.value.id)
}

function presentOf({ rooms }: Session, found: readonly FoundPerson[]): ReadonlySet<string> {
  const elsewhere = found.filter(({ present }) => present).map(({ id }) => id)
  return new Set([...rooms.present.value, ...elsewhere])
}

function isRoomSearch(search: string): boolean {
  return search.trim().startsWith('#')
}

/** What Enter opens: the best match, or else the new room. */
function bestOf(
  found: readonly RoomListItem[],
  offer: Offer | undefined,
  search: string,
): string | undefined {
  if (search.trim() === '') return undefined
  const wantsRoom = isRoomSearch(search) && offer?.kind === 'open'
  const [first] = found
  if (first !== undefined && !wantsRoom) return first.room
  return offer?.kind === 'open' ? offer.room : undefined
}

function useFindKey(field: preact.RefObject<HTMLInputElement | null>): void {
  const page = usePage()
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const isFind =
        event.key.toLowerCase() === 'k' &&
        (event.ctrlKey || event.metaKey) &&
        !event.altKey &&
        !event.shiftKey
      if (!isFind || page.dialog.peek() !== undefined) return
      event.preventDefault()
      if (field.current?.offsetParent === null) {
        // On a phone the list is rendered only now.
        page.showList()
        requestAnimationFrame(() => field.current?.focus())
      } else field.current?.focus()
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  }, [field, page])
}

/**
 * Moves the focus with the arrow keys: up and down between the search field and the items, to the right to an item's menu,
 * and back.
 */
function moveInList(event: KeyboardEvent, nav: HTMLElement | null): void {
  if (moveToMenu(event)) return event.preventDefault()
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
  const { activeElement } = document
  if (nav === null || step === 0 || !(activeElement instanceof HTMLElement)) return
  const stops = [...nav.querySelectorAll<HTMLElement>('.find-input, [data-room-link]')]
  const at = stops.indexOf(activeElement)
  if (at === -1) return
  event.preventDefault()
  stops[Math.max(0, Math.min(stops.length - 1, at + step))]?.focus()
}

/** @returns whether the focus has moved */
function moveToMenu({ key, target }: KeyboardEvent): boolean {
  const item = target instanceof Element ? target.closest('.room-item') : null
  if (!(target instanceof HTMLElement) || item === null || target.closest('[role=menu]') !== null)
    return false
  const isLink = target.matches('[data-room-link]')
  const isForward = key === (getComputedStyle(item).direction === 'rtl' ? 'ArrowLeft' : 'ArrowRight')
  const isBack = !isForward && (key === 'ArrowLeft' || key === 'ArrowRight')
  if (isLink ? !isForward : !isBack) return false
  item.querySelector<HTMLElement>(isLink ? '[aria-haspopup=menu]' : '[data-room-link]')?.focus()
  return true
}
