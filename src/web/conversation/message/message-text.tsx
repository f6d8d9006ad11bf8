/** Renders a message's text with links, code and mentions. Never interprets it as HTML. */
import { memo } from 'preact/compat'
import { isFewEmoji } from '../characters.ts'
import { type Token, tokensOf } from './tokens.ts'

/** Longer links are shown truncated. */
const LINK_SHOWN_MAX = 60

interface MessageTextProps {
  readonly text: string
  /** Mentions of this name are highlighted. */
  readonly name: string
  readonly isEdited: boolean
  /** Its links and code can be reached with the Tab key: the message has the focus. */
  readonly isReachable: boolean
}

export const MessageText = memo(({ text, name, isEdited, isReachable }: MessageTextProps) => {
  if (isFewEmoji(text)) {
    return (
      <p class="message-text message-text-large" dir="auto">
        {text}
        {isEdited && <EditedMark />}
      </p>
    )
  }
  return (
    <div class="message-text" dir="auto">
      {tokensOf(text, name).map((token, index) => element(token, index, isReachable ? 0 : -1))}
      {isEdited && <EditedMark />}
    </div>
  )
})

function EditedMark() {
  return <span class="message-edited">edited</span>
}

function element(token: Token, index: number, tabIndex: number) {
  switch (token.kind) {
    case 'mention':
      return <mark key={index}>{token.text}</mark>
    case 'code':
      return <code key={index}>{token.code}</code>
    case 'block':
      return (
        <pre key={index} dir="ltr" tabIndex={tabIndex}>
          <code>{token.code}</code>
        </pre>
      )
    case 'link':
      return (
        <a
          key={index}
          class={token.text.length > LINK_SHOWN_MAX ? 'message-link-long' : undefined}
          href={token.url}
          tabIndex={tabIndex}
          title={token.text.length > LINK_SHOWN_MAX ? token.text : undefined}
          target="_blank"
          rel="noopener noreferrer nofollow"
        >
          {token.text}
        </a>
      )
    default:
      return token.text
  }
}
