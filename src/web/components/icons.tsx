/** The page's icons: a grid of 20, strokes of 1.6 with round ends, in the text colour. Decorative. */
import type { ComponentChildren } from 'preact'

interface IconProps {
  /** Pixels; default 20. */
  readonly size?: number
}

type Icon = (props: IconProps) => preact.JSX.Element

function icon(paths: string, more?: ComponentChildren): Icon {
  return ({ size = 20 }) => (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={paths} />
      {more}
    </svg>
  )
}

const dot = (cx: number, cy: number) => (
  <circle key={`${cx} ${cy}`} cx={cx} cy={cy} r="1.25" fill="currentColor" stroke="none" />
)

export const BackIcon = icon('M12.5 4.5 7 10l5.5 5.5')
export const ChevronDownIcon = icon('m5 7.5 5 5 5-5')
export const ArrowDownIcon = icon('M10 4v12m0 0 5-5m-5 5-5-5')
export const CloseIcon = icon('m5 5 10 10M15 5 5 15')
export const SearchIcon = icon('m16.5 16.5-3.7-3.7M14.5 8.8a5.7 5.7 0 1 1-11.4 0 5.7 5.7 0 0 1 11.4 0Z')
export const PlusIcon = icon('M10 4v12M4 10h12')
export const HashIcon = icon('M7.8 3 6.2 17M13.8 3l-1.6 14M3.5 7.3h13.3M3.2 12.7h13.3')
export const PersonIcon = icon('M13 6.5a3 3 0 1 1-6 0 3 3 0 0 1 6 0ZM4 17c.5-3.2 2.9-5 6-5s5.5 1.8 6 5')
export const PeopleIcon = icon(
  'M10.3 6.8a2.8 2.8 0 1 1-5.6 0 2.8 2.8 0 0 1 5.6 0ZM2 16.5c.4-3 2.5-4.7 5.5-4.7s5.1 1.7 5.5 4.7M13 4.1a2.8 2.8 0 0 1 0 5.4M15 12.2c1.7.7 2.7 2.2 3 4.3',
)
export const MoreIcon = icon('', [dot(4.5, 10), dot(10, 10), dot(15.5, 10)])
export const SendIcon = icon('M16.8 3.2 3 8.3l5.7 3 3 5.7 5.1-13.8ZM8.7 11.3l3.3-3.3')
export const SmileIcon = icon(
  'M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0ZM7 11.8c.6 1.2 1.7 1.9 3 1.9s2.4-.7 3-1.9',
  [dot(7.6, 8.2), dot(12.4, 8.2)],
)
export const EditIcon = icon(
  'm3.5 16.5.8-3.7 8.9-8.9a1.7 1.7 0 0 1 2.4 0l.5.5a1.7 1.7 0 0 1 0 2.4l-8.9 8.9-3.7.8ZM11.5 5.6l2.9 2.9',
)
export const TrashIcon = icon('M3.5 5.5h13M8 5.5V3.3h4v2.2M5.2 5.5l.8 11h8l.8-11M8.5 8.8v4.4M11.5 8.8v4.4')
export const CopyIcon = icon('M7.5 7.5h9v9h-9zM12.5 7.5v-4h-9v9h4')
export const CheckIcon = icon('m4 10.5 4 4 8-9')
export const ChecksIcon = icon('m1.8 10.5 3.7 4 7.3-9M9 13.6l.9.9 8.1-9')
export const ClockIcon = icon('M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0ZM10 6v4.2l2.7 1.6')
export const WarningIcon = icon('M10 3.2 17.5 16.5h-15L10 3.2ZM10 8.2v3.8', dot(10, 14.2))
export const OfflineIcon = icon(
  'M3 3l14 14M5.6 10.5c.7-.7 1.5-1.2 2.4-1.5M2.8 7.6C3.7 6.8 4.7 6.1 5.8 5.6M9.2 4.6c3-.2 5.9.9 8 3M12.6 9.3c.7.3 1.3.7 1.8 1.2',
  dot(10, 14.6),
)
export const LinkIcon = icon(
  'M8.3 11.7a3.3 3.3 0 0 0 4.7 0l2.5-2.5a3.3 3.3 0 0 0-4.7-4.7l-.9.9M11.7 8.3a3.3 3.3 0 0 0-4.7 0l-2.5 2.5a3.3 3.3 0 0 0 4.7 4.7l.9-.9',
)
export const WindowIcon = icon('M3 4.5h14v11H3zM3 8h14', dot(5.6, 6.3))
export const TerminalIcon = icon('m4.5 6 4 4-4 4M10.5 14.5h5')
export const BellIcon = icon('M5 13.8V9a5 5 0 0 1 10 0v4.8l1.3 1.2H3.7L5 13.8ZM8.3 17.2c.9.7 2.5.7 3.4 0')
export const BellOffIcon = icon(
  'M3 3l14 14M6 5.9C5.4 6.8 5 7.9 5 9v4.8L3.7 15H15M15 11.5V9a5 5 0 0 0-6.9-4.6M8.3 17.2c.9.7 2.5.7 3.4 0',
)
export const LeaveIcon = icon('M8 3.5H4.5v13H8M12.5 13.5 16 10l-3.5-3.5M16 10H8')
export const SunIcon = icon(
  'M13.2 10a3.2 3.2 0 1 1-6.4 0 3.2 3.2 0 0 1 6.4 0ZM10 2.2v1.5M10 16.3v1.5M2.2 10h1.5M16.3 10h1.5M4.5 4.5l1 1M14.5 14.5l1 1M4.5 15.5l1-1M14.5 5.5l1-1',
)
export const MoonIcon = icon('M16.5 11.7A6.9 6.9 0 0 1 8.3 3.5a6.9 6.9 0 1 0 8.2 8.2Z')
export const AutoIcon = icon(
  'M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0ZM10 3v14',
  <path d="M10 3a7 7 0 0 1 0 14Z" fill="currentColor" />,
)
export const AtIcon = icon(
  'M13 10a3 3 0 1 1-6 0 3 3 0 0 1 6 0Zm0-3v4.2c0 1.2.8 1.9 1.9 1.9 1.3 0 2.1-1.1 2.1-3.1a7 7 0 1 0-2.7 5.5',
)
export const InfoIcon = icon('M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0ZM10 9.3v4.2', dot(10, 6.6))
