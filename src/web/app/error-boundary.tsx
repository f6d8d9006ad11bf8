/**
 * Replaces a part of the page that failed to render by a message and a reload button. The rest of the page
 * keeps working. The error is shown on request and reported nowhere.
 */
import { Component, type ComponentChildren } from 'preact'
import { Logo } from '../components/wordmark.tsx'

interface ErrorBoundaryProps {
  /** `pane`: the rest of the page is still there. */
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
        <Title class="empty-pane-title">Something went wrong</Title>
        <p class="error-report-text">
          This page could not be shown. No messages are lost: unsent ones stay in this browser and are sent
          after a reload.
        </p>
      </div>
      <button type="button" class="button button-primary" onClick={() => location.reload()}>
        Reload the page
      </button>
      <details class="error-report-details">
        <summary>Details</summary>
        <pre tabIndex={0} aria-label="Error details">
          {text}
        </pre>
      </details>
    </>
  )
}

/** Some browsers leave the message out of the stack. */
function errorReportText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { stack = '' } = error
  return stack.includes(error.message) ? stack : `${error.name}: ${error.message}\n${stack}`
}
