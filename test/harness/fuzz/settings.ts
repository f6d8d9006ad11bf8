/** Texts for settings: values that some setting accepts, and arbitrary ones. */
import * as fc from 'fast-check'
import { type SettingKey, settingKeys } from '../../../src/config/schema.ts'

export const anySettingText = fc.oneof(
  fc.nat().map(String),
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e3',
    '١',
    ' 1',
    '65536',
    'guest',
    'jwt',
    'info',
    'json',
    '*',
    'a'.repeat(5_000),
  ),
  fc.constantFrom(
    'https://a.example',
    'https://a.example, ,',
    'redis://x',
    'file:///etc',
    'http://[',
    '::1',
    '/tmp',
    '\0',
  ),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    '\u202e',
    '\ud800',
    '\n',
    '{}',
    '[1]',
    'null',
    'undefined',
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
)

/** Few settings at once, so that a host can start with some of them. */
export const anySettings: fc.Arbitrary<[SettingKey, string][]> = fc.array(
  fc.tuple(fc.constantFrom(...settingKeys), anySettingText),
  { minLength: 1, maxLength: 5 },
)
