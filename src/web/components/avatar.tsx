/** A user's initials on a colour derived from the id. Decorative: the name is beside it. */
import type { Author } from '../../client/index.ts'
import { avatarContentOf } from './initials.ts'

interface AvatarProps {
  readonly user: Author
  /** 24, 36 or 56 px at the usual text size. */
  readonly size?: 's' | 'm' | 'l'
}

export function Avatar({ user, size = 'm' }: AvatarProps) {
  const { initials, hue } = avatarContentOf(user)
  return (
    <span class={`avatar avatar-${size}`} style={{ '--hue': `${hue}` }} aria-hidden="true">
      {initials}
    </span>
  )
}
