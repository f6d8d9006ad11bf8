/** What `rookery --help` says below its list of commands. */
import { exitCodes } from '../ops/exit-codes.ts'

export function helpAfter(): string {
  const codes = Object.values(exitCodes).map(({ code, meaning }) => `  ${code}  ${meaning}`)
  return `
Examples:
  rookery start                             the chat on port 3000, one worker a core
  PORT=8080 WORKERS=2 rookery start         settings from the environment
  rookery start --app ./my-app.js           your own Socket.IO application
  rookery start --config rookery.json       settings from a file
  rookery config print                      what the settings are and where they come from
  rookery token --sub alice --name Alice    a token for AUTH=jwt
  rookery reload                            new workers, no interruption
  rookery status                            how it is

Exit codes:
${codes.join('\n')}
`
}
