/** The end of `rookery --help`: examples and exit codes. */
import { exitCodes } from '../ops/exit-codes.ts'

export function helpAfter(): string {
  const codes = Object.values(exitCodes).map(({ code, meaning }) => `  ${code}  ${meaning}`)
  return `
Examples:
  rookery start                             the chat on port 3000, one worker per core
  PORT=8080 WORKERS=2 rookery start         settings from the environment
  rookery start --app ./my-app.js           your own Socket.IO application
  rookery init my-app                       write a small application with a test
  rookery dev --app ./my-app.js             the same while you write it: a change restarts it
  rookery start --config rookery.json       settings from a file
  rookery config print                      all settings and their sources
  rookery token --sub alice --name Alice    a token for AUTH=jwt
  rookery wait --ready                      return when it accepts connections, for scripts
  rookery reload                            replace the workers without interruption
  rookery emit --room red news '{"a":1}'     emit an event to the clients in a room
  rookery status                            state of a running Rookery

Exit codes:
${codes.join('\n')}
`
}
