/**
 * Where a fault of the page ends: what can't be drawn is replaced by words and a way on, what stands around it lives on.
 * The fault is shown to who looks for it, and told nowhere else.
 */
import { Component, type ComponentChildren } from 'preact'
import { Bird } from '../components/wordmark.tsx'

interface BoundaryProps {
  /** A pane has the rest of the page beside it. */
  readonly around: 'page' | 'pane'
  readonly children: ComponentChildren
}

interface BoundaryState {
  readonly fault?: string
}

export class Boundary extends Component<BoundaryProps, BoundaryState> {
  override state: BoundaryState = {}

  static override getDerivedStateFromError(error: unknown): BoundaryState {
    return { fault: faultText(error) }
  }

  override render({ around, children }: BoundaryProps, { fault }: BoundaryState) {
    if (fault === undefined) return children
    if (around === 'pane') {
      return (
        <div class="place-empty">
          <Fault text={fault} Title="h2" />
        </div>
      )
    }
    return (
      <main class="welcome">
        <div class="welcome-card">
          <Fault text={fault} Title="h1" />
        </div>
      </main>
    )
  }
}

function Fault({ text, Title }: { readonly text: string; readonly Title: 'h1' | 'h2' }) {
  return (
    <>
      <Bird size={48} />
      <div role="alert">
        <Title class="place-empty-title">This page has a fault</Title>
        <p class="fault-text">
          It could not be drawn. Nothing that was sent is lost: what waits is kept in this browser, and goes
          on its way once the page is loaded again.
        </p>
      </div>
      <button type="button" class="button button-primary" onClick={() => location.reload()}>
        Load the page again
      </button>
      <details class="fault-details">
        <summary>What went wrong</summary>
        <pre tabIndex={0} aria-label="The fault">
          {text}
        </pre>
      </details>
    </>
  )
}

/** The stack has the message as well, but not in every browser. */
function faultText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { stack = '' } = error
  return stack.includes(error.message) ? stack : `${error.name}: ${error.message}\n${stack}`
}
