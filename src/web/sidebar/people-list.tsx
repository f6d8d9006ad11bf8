/** People that a search has found, and whose conversation is not in the list above. */
import { useId } from 'preact/hooks'
import type { Author } from '../../client/index.ts'
import { usePage } from '../app/page.ts'
import { Avatar } from '../components/avatar.tsx'
import { ShortId, useShortIds } from '../conversation/short-ids.tsx'

interface PeopleListProps {
  readonly people: readonly Author[]
  readonly present: ReadonlySet<string>
  readonly onOpened: () => void
}

export function PeopleList({ people, present, onOpened }: PeopleListProps) {
  const page = usePage()
  const id = useId()
  const shortIds = useShortIds(() => people, [people])
  return (
    <section class="room-list" aria-labelledby={id}>
      <h2 id={id} class="room-list-title">
        People
      </h2>
      <ul>
        {people.map((user) => (
          <li key={user.id} class="room-item">
            <button
              type="button"
              class="room-link"
              data-room-link
              onClick={() => {
                onOpened()
                page.openDirect(user)
              }}
            >
              <span class="room-picture" data-present={present.has(user.id)}>
                <Avatar user={user} size="s" />
                {present.has(user.id) && <span class="visually-hidden">online: </span>}
              </span>
              <span class="room-link-title clipped">
                <bdi>{user.name}</bdi>
              </span>
              <ShortId id={shortIds.get(user.id)} />
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
