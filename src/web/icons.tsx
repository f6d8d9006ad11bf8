/** The page's icons: one grid of 20, one stroke of 1.6, round ends, in the colour of the text around. Decoration. */
import type { ComponentChildren } from 'preact'

interface IconProps {
  /** Pixels; 20 unless told. */
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
  <circle key={`${cx} ${cy}`} cx={cx} cy={cy} r="1.1" fill="currentColor" stroke="none" />
)

export const BackIcon = icon('M12.5 4.5 7 10l5.500 5.500')
export const ChevronDownIcon = icon('m5 7.500 5 5 5-5')
export const ArrowDownIcon = icon('M10 4v12m0 0 5-5m-5 5-5-5')
export const CloseIcon = icon('m5 5 10 10M15 5 5 15')
export const SearchIcon = icon(
  'm16.500 16.500-3.700-3.700M14.500 8.800a5.700 5.700 0 1 1-11.400 0 5.700 5.700 0 0 1 11.400 0Z',
)
export const PlusIcon = icon('M10 4v12M4 10h12')
export const HashIcon = icon('M7.800 3 6.200 17M13.800 3l-1.600 14M3.500 7.300h13.300M3.200 12.700h13.300')
export const PersonIcon = icon(
  'M13 6.500a3 3 0 1 1-6 0 3 3 0 0 1 6 0ZM4 17c.5-3.200 2.900-5 6-5s5.500 1.800 6 5',
)
export const PeopleIcon = icon(
  'M10.300 6.800a2.800 2.800 0 1 1-5.600 0 2.800 2.800 0 0 1 5.600 0ZM2 16.500c.4-3 2.500-4.700 5.500-4.700s5.100 1.700 5.500 4.700M13 4.100a2.800 2.800 0 0 1 0 5.400M15 12.200c1.700.7 2.700 2.200 3 4.300',
)
export const MoreIcon = icon('', [dot(4.5, 10), dot(10, 10), dot(15.5, 10)])
export const SendIcon = icon('M16.800 3.200 3 8.300l5.700 3 3 5.700 5.100-13.800ZM8.700 11.300l3.300-3.300')
export const SmileIcon = icon(
  'M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0ZM7 11.800c.6 1.200 1.700 1.900 3 1.900s2.400-.7 3-1.900',
  [dot(7.6, 8.2), dot(12.4, 8.2)],
)
export const EditIcon = icon(
  'm3.500 16.500.8-3.700 8.900-8.900a1.700 1.700 0 0 1 2.400 0l.5.5a1.700 1.700 0 0 1 0 2.400l-8.900 8.900-3.700.8ZM11.500 5.600l2.900 2.900',
)
export const TrashIcon = icon(
  'M3.500 5.500h13M8 5.500V3.300h4v2.200M5.200 5.500l.8 11h8l.8-11M8.500 8.800v4.400M11.500 8.800v4.400',
)
export const CopyIcon = icon('M7.500 7.500h9v9h-9zM12.500 7.500v-4h-9v9h4')
export const CheckIcon = icon('m4 10.500 4 4 8-9')
export const ChecksIcon = icon('m1.800 10.500 3.700 4 7.300-9M9 13.600l.9.900 8.100-9')
export const ClockIcon = icon('M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0ZM10 6v4.200l2.700 1.600')
export const RetryIcon = icon('M16.500 10a6.500 6.500 0 1 1-2-4.700M16.700 3v3.200h-3.200')
export const WarningIcon = icon('M10 3.200 17.500 16.500h-15L10 3.200ZM10 8.200v3.800', dot(10, 14.2))
export const OfflineIcon = icon(
  'M3 3l14 14M5.600 10.500c.7-.7 1.500-1.200 2.400-1.500M2.800 7.600C3.700 6.800 4.700 6.100 5.800 5.600M9.200 4.600c3-.2 5.900.9 8 3M12.600 9.300c.7.300 1.300.7 1.800 1.200',
  dot(10, 14.6),
)
export const LinkIcon = icon(
  'M8.300 11.700a3.300 3.300 0 0 0 4.700 0l2.500-2.500a3.300 3.300 0 0 0-4.700-4.700l-.9.9M11.700 8.300a3.300 3.300 0 0 0-4.700 0l-2.500 2.500a3.300 3.300 0 0 0 4.700 4.700l.9-.9',
)
export const WindowIcon = icon('M3 4.500h14v11H3zM3 8h14', dot(5.6, 6.3))
export const TerminalIcon = icon('m4.500 6 4 4-4 4M10.500 14.500h5')
export const BellIcon = icon(
  'M5 13.800V9a5 5 0 0 1 10 0v4.800l1.300 1.200H3.700L5 13.800ZM8.300 17.200c.9.700 2.500.7 3.400 0',
)
export const BellOffIcon = icon(
  'M3 3l14 14M6 5.900C5.400 6.800 5 7.900 5 9v4.800L3.700 15H15M15 11.500V9a5 5 0 0 0-6.900-4.600M8.300 17.200c.9.700 2.500.7 3.400 0',
)
export const LeaveIcon = icon('M8 3.500H4.500v13H8M12.500 13.500 16 10l-3.500-3.500M16 10H8')
export const SunIcon = icon(
  'M13.200 10a3.200 3.200 0 1 1-6.400 0 3.200 3.200 0 0 1 6.400 0ZM10 2.200v1.500M10 16.300v1.500M2.200 10h1.500M16.300 10h1.500M4.500 4.500l1 1M14.500 14.500l1 1M4.500 15.500l1-1M14.500 5.500l1-1',
)
export const MoonIcon = icon('M16.500 11.700A6.900 6.900 0 0 1 8.300 3.500a6.900 6.900 0 1 0 8.200 8.200Z')
export const AutoIcon = icon(
  'M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0ZM10 3v14',
  <path d="M10 3a7 7 0 0 1 0 14Z" fill="currentColor" />,
)
export const AtIcon = icon(
  'M13 10a3 3 0 1 1-6 0 3 3 0 0 1 6 0Zm0-3v4.200c0 1.200.8 1.900 1.900 1.900 1.300 0 2.100-1.100 2.100-3.100a7 7 0 1 0-2.700 5.500',
)
export const InfoIcon = icon('M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0ZM10 9.300v4.200', dot(10, 6.6))
