/** The forms for a name and a token, on the sign-in page and in dialogs. */
import type { TargetedSubmitEvent } from 'preact'
import { useId, useRef, useState } from 'preact/hooks'
import { personNameProblem } from '../app/name-rules.ts'

interface NameFormProps {
  readonly label: string
  readonly action: string
  readonly value: string
  readonly isBusy: boolean
  /** The server's limit. */
  readonly maxChars?: number | undefined
  readonly onName: (name: string) => void
}

export function NameForm({ label, action, value, isBusy, maxChars, onName }: NameFormProps) {
  const [name, setName] = useState(value)
  const [isTried, setTried] = useState(false)
  const problem = personNameProblem(name, maxChars)
  const submit = () => {
    setTried(true)
    if (problem === undefined) onName(name.trim())
    return problem === undefined
  }
  return (
    <SignInForm
      label={label}
      action={action}
      isBusy={isBusy}
      submit={submit}
      problem={isTried ? problem : undefined}
    >
      {(field) => (
        <input
          {...field}
          name="name"
          type="text"
          dir="auto"
          autocomplete="nickname"
          placeholder="Ada"
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      )}
    </SignInForm>
  )
}

interface TokenFormProps {
  readonly isBusy: boolean
  readonly onToken: (token: string) => void
}

export function TokenForm({ isBusy, onToken }: TokenFormProps) {
  const [token, setToken] = useState('')
  const [isTried, setTried] = useState(false)
  const problem = token.trim() === '' ? 'Paste your token.' : undefined
  const submit = () => {
    setTried(true)
    if (problem === undefined) onToken(token)
    return problem === undefined
  }
  return (
    <SignInForm
      label="Your token"
      action="Sign in"
      isBusy={isBusy}
      submit={submit}
      problem={isTried ? problem : undefined}
    >
      {(field) => (
        <input
          {...field}
          name="token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          placeholder="eyJhbGciOi…"
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
      )}
    </SignInForm>
  )
}

interface FieldProps {
  readonly id: string
  readonly class: string
  readonly required: boolean
  readonly 'aria-invalid': boolean
  readonly 'aria-describedby': string
  readonly autofocus: boolean
}

interface SignInFormProps {
  readonly label: string
  readonly action: string
  readonly isBusy: boolean
  readonly problem: string | undefined
  /** @returns whether the input was valid */
  readonly submit: () => boolean
  readonly children: (field: FieldProps) => preact.ComponentChild
}

function SignInForm({ label, action, isBusy, problem, submit, children }: SignInFormProps) {
  const id = useId()
  const form = useRef<HTMLFormElement>(null)
  const submitted = (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (!submit()) form.current?.querySelector('input')?.focus()
  }
  const field: FieldProps = {
    id,
    class: 'field',
    required: true,
    'aria-invalid': problem !== undefined,
    'aria-describedby': `${id}-problem`,
    autofocus: true,
  }
  return (
    <form ref={form} class="sign-in-form" noValidate onSubmit={submitted}>
      <label class="field-label" for={id}>
        {label}
      </label>
      <div class="sign-in-row">
        {children(field)}
        <button type="submit" class="button button-primary" disabled={isBusy}>
          {isBusy ? 'One moment…' : action}
        </button>
      </div>
      <p id={`${id}-problem`} class="field-problem" aria-live="polite">
        {problem}
      </p>
    </form>
  )
}
