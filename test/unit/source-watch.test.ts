import { describe, expect, test } from 'vitest'
import { isIgnored, sourceRoot } from '../../src/cli/source-watch.ts'

const watched = { root: '/a', others: ['/a/views', '/b/note.txt'], dataDir: '/a/data' }

describe('what a change of restarts the application', () => {
  test.each([
    '/a',
    '/a/app.ts',
    '/a/src/b.js',
    '/a/package.json',
    '/a/.env',
    '/a/.env.local',
    '/a/views/x.html',
    '/b/note.txt',
  ])('%s', (path) => expect(isIgnored(watched, path, true)).toBe(false))
  test.each([
    '/a/node_modules',
    '/a/.git',
    '/a/.cache',
    '/a/data',
    '/a/app.test.ts',
    '/a/b.spec.js',
    '/a/README.md',
    '/a/db.sqlite',
    '/a/views/node_modules',
  ])('not %s', (path) => expect(isIgnored(watched, path, true)).toBe(true))
  test('directories are looked into, whatever their name', () => {
    expect(isIgnored(watched, '/a/lib', false)).toBe(false)
  })
})

test.each([
  ['/home/me/app/src/main.ts', '/home/me/app', ['/home/me/app', '/home/me'], '/home/me/app'],
  [
    '/home/me/app/server/main.ts',
    '/home/me/app',
    ['/home/me/app/server', '/home/me/app'],
    '/home/me/app/server',
  ],
  // Not the home directory: it is above the working directory.
  ['/home/me/app/main.ts', '/home/me/app', ['/home/me'], '/home/me/app'],
  ['/other/main.ts', '/home/me/app', ['/home/me/app', '/other'], '/other'],
])('of %s, seen from %s, is below %s', (app, cwd, packages, root) => {
  expect(sourceRoot(app, cwd, (directory) => packages.includes(directory))).toBe(root)
})
