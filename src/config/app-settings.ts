/** The settings that an application gets. */
import type { AppSettings } from '../wire/app.ts'
import type { WorkerConfig } from './load.ts'

export function appSettings(config: WorkerConfig): AppSettings {
  return Object.freeze({
    auth: config.auth,
    jwtSecret: config.jwtSecret,
    jwtSecretOther: config.jwtSecretOther,
    jwksUrl: config.jwksUrl,
    jwtIssuer: config.jwtIssuer,
    jwtAudience: config.jwtAudience,
    apiKey: config.apiKey,
    peopleSearch: config.peopleSearch,
    textMaxChars: config.textMaxChars,
    roomsPerSocket: config.roomsPerSocket,
    messageRate: config.messageRate,
    messageBurst: config.messageBurst,
    requestRate: config.requestRate,
    requestBurst: config.requestBurst,
    slowClientBytes: config.slowClientBytes,
    slowClientMs: config.slowClientMs,
  })
}
