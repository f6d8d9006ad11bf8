/** State of the members panel: beside the conversation, over it as a sheet, or hidden. */
import { useEffect, useState } from 'preact/hooks'
import { type ChatRoom, isDirect } from '../../client/index.ts'
import { usePage } from '../app/page.ts'
import { THREE_PANES, useMedia } from '../components/use-media.ts'
import type { RoomListItem } from '../sidebar/room-list-model.ts'

export interface MembersPanel {
  readonly isOffered: boolean
  readonly isInline: boolean
  readonly isSheetOpen: boolean
  readonly toggle: () => void
}

const STORAGE_KEY = 'rookery:people-hidden'

export function useMembersPanel(room: ChatRoom, item: RoomListItem | undefined): MembersPanel {
  const { storage } = usePage()
  const isWide = useMedia(THREE_PANES)
  const [isHidden, setHidden] = useState(() => storage.getItem(STORAGE_KEY) === 'yes')
  const [isSheetOpen, setSheetOpen] = useState(false)
  useEffect(() => setSheetOpen(false), [isWide])
  const isOffered = item?.other === undefined && !isDirect(room.name)
  const toggle = () => {
    if (!isWide) return setSheetOpen(!isSheetOpen)
    setHidden(!isHidden)
    if (isHidden) storage.removeItem(STORAGE_KEY)
    else storage.setItem(STORAGE_KEY, 'yes')
  }
  return {
    isOffered,
    isInline: isOffered && isWide && !isHidden,
    isSheetOpen: isOffered && !isWide && isSheetOpen,
    toggle,
  }
}
