/** The product's logo and name. */

/** A rook that looks in the direction of the text. */
export function Logo({ size = 28 }: { readonly size?: number }) {
  return (
    <svg class="bird" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="9" class="bird-ground" />
      <g transform="translate(1.1 1.2) scale(0.92)">
        <path
          class="bird-body"
          d="M4.5 24.3c2.3-.2 4-.9 5-2.1-.9-7 2.6-13.4 9-13.4 2.7 0 4.7 1.2 5.8 3.2l4.7 1.4-4.4 2.2c-.3 5.9-4.3 10.1-10.1 10.1-3.8 0-7-.3-10-1.4Z"
        />
        <circle class="bird-eye" cx="20.7" cy="12.9" r="1.3" />
        <path class="bird-wing" d="M11 22.3c4.3.2 7.5-1.7 8.7-5.2" />
      </g>
    </svg>
  )
}

export function Wordmark() {
  return (
    <span class="wordmark">
      <Logo />
      <span class="wordmark-name">Rookery</span>
    </span>
  )
}
