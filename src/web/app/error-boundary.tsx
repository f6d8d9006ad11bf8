/**
 * Where a fault of the page ends: what can't be drawn is replaced by words and a way on, what stands around it lives on.
 * The fault is shown to who looks for it, and told nowhere else.
 */
import { Component, type ComponentChildren } from 'preact'
import { Logo } from '../components/wordmark.tsx'

interface ErrorBoundaryProps {
  /** A pane has the rest of the page beside it. */
  readonly around: 'page' | 'pane'
  readonly children: ComponentChildren
}

interface ErrorBoundaryState {
  readonly errorText?: string
}

export class ErrorBoundary extends Component<ErrorBoundaryProps, ErrorBoundaryState> {
  override state: ErrorBoundaryState = {}

  static override getDerivedStateFromError(error: unknown): ErrorBoundaryState {
    return { errorText: errorReportText(error) }
  }

  override render({ around, children }: ErrorBoundaryProps, { errorText }: ErrorBoundaryState) {
    if (errorText === undefined) return children
    if (around === 'pane') {
      return (
        <div class="empty-pane">
          <ErrorReport text={errorText} Title="h2" />
        </div>
      )
    }
    return (
      <main class="sign-in-page">
        <div class="sign-in-card">
          <ErrorReport text={errorText} Title="h1" />
        </div>
      </main>
    )
  }
}

function ErrorReport({ text, Title }: { readonly text: string; readonly Title: 'h1' | 'h2' }) {
  return (
    <>
      <Logo size={48} />
      <div role="alert">
        <Title class="empty-pane-title">This page has a fault</Title>
        <p class="error-report-text">
          It could not be drawn. Nothing that was sent is lost: what waits is kept in this browser, and goes
          on its way once the page is loaded again.
        </p>
      </div>
      <button type="button" class="button button-primary" onClick={() => location.reload()}>
        Load the page again
      </button>
      <details class="error-report-details">
        <summary>What went wrong</summary>
        <pre tabIndex={0} aria-label="The fault">
          {text}
        </pre>
      </details>
    </>
  )
}

/** The stack has the message as well, but not in every browser. */
function errorReportText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { stack = '' } = error
  return stack.includes(error.message) ? stack : `${error.name}: ${error.message}\n${stack}`
}
