/** Any content of the settings' sources gives a start, or an error that names every problem. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mayBeForeign } from '../../src/config/foreign.ts'
import { type ConfigInput, loadConfig } from '../../src/config/load.ts'
import { ConfigError, type Problem } from '../../src/config/problem.ts'
import { isSettingKey, type SettingKey, settingKeys, settingOf } from '../../src/config/schema.ts'
import { environmentName, flagName } from '../../src/config/setting.ts'
import { hasFlag } from '../../src/config/sources.ts'
import { OutcomeCounts } from '../harness/fuzz/outcome-counts.ts'
import { fuzz } from '../harness/fuzz/runs.ts'
import { anySettings, anySettingText } from '../harness/fuzz/settings.ts'
import { anyJson } from '../harness/fuzz/values.ts'

const tryLoad = (input: ConfigInput): readonly Problem[] => {
  try {
    expect(Object.isFrozen(loadConfig(input).config)).toBe(true)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

/** Whether the setting accepts this text on its own. */
function isAllowed(key: SettingKey, text: string): boolean {
  const { type, fromText } = settingOf(key).kind
  return type.safeParse(fromText(text)).success
}

const named = (problems: readonly Problem[]) => problems.map(({ setting }) => setting)

describe('random texts', () => {
  it('in the environment give a start, or an error that names each invalid value', () => {
    const outcomes = new OutcomeCounts()
    fuzz(anySettings, 3_000, (settings) => {
      const env = Object.fromEntries(settings.map(([key, text]) => [environmentName(key), text]))
      const isApp = (env['APP'] ?? '') !== ''
      const wrong = Object.entries(env)
        .filter(([name, text]) => text !== '' && !isAllowed(keyOf(name), text))
        .filter(([name]) => !isApp || !mayBeForeign(keyOf(name)))
      const problems = tryLoad({ env })
      outcomes.add(problems.length === 0 ? 'start' : 'refused')
      expect(named(problems)).toEqual(expect.arrayContaining(wrong.map(([name]) => name)))
      expectToldWell(problems)
    })
    expect([...outcomes.keys()].toSorted()).toEqual(['refused', 'start'])
  })

  it('in flags give a start, or an error that names each invalid value and each unknown flag', () => {
    const flags = fc.dictionary(
      fc.oneof(fc.constantFrom<string>(...settingKeys), fc.string()),
      anySettingText,
    )
    fuzz(flags, 2_000, (given) => {
      const wrong = Object.entries(given).filter(
        ([key, text]) => !isSettingKey(key) || !hasFlag(key) || !isAllowed(key, text),
      )
      const problems = tryLoad({ env: {}, flags: given })
      expect(named(problems)).toEqual(expect.arrayContaining(wrong.map(([key]) => flagName(key))))
      expectToldWell(problems)
    })
  })

  it("under unknown names with the settings' prefix are refused by name", () => {
    const name = fc.string({ unit: 'binary' }).map((rest) => `ROOKERY_${rest}`)
    const known = new Set(['ROOKERY_CONFIG', 'ROOKERY_WORKER', 'ROOKERY_SETTINGS'])
    fuzz(
      name.filter((one) => !known.has(one)),
      500,
      (one) => {
        expect(named(tryLoad({ env: { [one]: '1' } }))).toEqual([one])
      },
    )
  })

  it('in a file give a start, or an error that names each invalid value', () => {
    const fields = fc.dictionary(fc.oneof(fc.constantFrom<string>(...settingKeys), fc.string()), anyJson)
    fuzz(fields, 2_000, (given) => {
      const content = JSON.stringify(given)
      const parsed = JSON.parse(content) as Record<string, unknown>
      const wrong = Object.entries(parsed).filter(
        ([key, value]) => !isSettingKey(key) || !settingOf(key).kind.type.safeParse(value).success,
      )
      const problems = tryLoad({ env: {}, file: 'settings.json', readFile: () => content })
      expect(named(problems)).toEqual(expect.arrayContaining(wrong.map(([key]) => key)))
      expectToldWell(problems)
    })
  })

  it('as a file give a start, or are refused with the name of the file', () => {
    const content = fc.oneof(
      fc.string({ unit: 'binary' }),
      anyJson.map((value) => JSON.stringify(value) ?? ''),
    )
    fuzz(content, 1_000, (text) => {
      expectToldWell(tryLoad({ env: {}, file: 'settings.json', readFile: () => text }))
    })
  })
})

function keyOf(name: string): SettingKey {
  const key = settingKeys.find((candidate) => environmentName(candidate) === name)
  if (key === undefined) throw new Error(`no setting ${name}`)
  return key
}

/** Bounded, and without secret texts. */
function expectToldWell(problems: readonly Problem[]): void {
  for (const { setting, message } of problems) {
    expect(message.length, setting).toBeGreaterThan(10)
    expect(message.length, setting).toBeLessThan(1_000)
  }
}
