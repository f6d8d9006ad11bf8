/** Where the members of a room are shown: beside the conversation, over it as a sheet, or not at all. */
import { useEffect, useState } from 'preact/hooks'
import { type ChatRoom, isDirect } from '../../client/index.ts'
import { usePage } from '../app/page.ts'
import { THREE_PANES, useMedia } from '../components/use-media.ts'
import type { RoomLine } from '../sidebar/room-list-model.ts'

export interface MembersPanel {
  readonly isOffered: boolean
  readonly isBeside: boolean
  readonly isOver: boolean
  readonly toggle: () => void
}

const KEPT = 'rookery:people-hidden'

export function useMembersPanel(room: ChatRoom, line: RoomLine | undefined): MembersPanel {
  const { kept } = usePage()
  const isWide = useMedia(THREE_PANES)
  const [isHidden, setHidden] = useState(() => kept.getItem(KEPT) === 'yes')
  const [isOver, setOver] = useState(false)
  useEffect(() => setOver(false), [isWide])
  const isOffered = line?.other === undefined && !isDirect(room.name)
  const toggle = () => {
    if (!isWide) return setOver(!isOver)
    setHidden(!isHidden)
    if (isHidden) kept.removeItem(KEPT)
    else kept.setItem(KEPT, 'yes')
  }
  return {
    isOffered,
    isBeside: isOffered && isWide && !isHidden,
    isOver: isOffered && !isWide && isOver,
    toggle,
  }
}
