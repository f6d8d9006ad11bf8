/** What an application's errors are tied to, counted as, and who is held off for them. */
import pino from 'pino'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { AppErrors, type Origin } from '../../src/worker/app-errors/app-errors.ts'
import { Offenders } from '../../src/worker/app-errors/offenders.ts'

function createErrors(policy: 'contain' | 'exit' = 'contain') {
  const registry = new Registry()
  const done: string[] = []
  const errors = new AppErrors({
    policy,
    followsAsync: true,
    exit: (error) => done.push(`exit: ${String(error)}`),
    replace: (error) => done.push(`replace: ${String(error)}`),
    logger: pino({ level: 'silent' }),
    registry,
    now: () => 1,
  })
  const counts = async () => {
    const metric = await registry.getSingleMetric('rookery_app_errors_total')?.get()
    return metric?.values.map(({ labels, value }) => [labels['where'], labels['event'], value])
  }
  return { errors, done, counts }
}

const fail = () => {
  throw new Error('failed')
}

test('what code throws, and what its promise rejects with, goes to its origin and no further', async () => {
  const { errors, counts } = createErrors()
  const failed: unknown[] = []
  const told: unknown[] = []
  errors.listen((error, origin) => void told.push([error, origin]))
  const origin: Origin = { where: 'event', event: 'x', fail: (error) => void failed.push(error) }
  expect(errors.run(origin, fail)).toBe(false)
  expect(errors.run(origin, async () => fail())).toBe(true)
  await new Promise(setImmediate)
  expect(failed).toEqual([new Error('failed'), new Error('failed')])
  expect(told).toEqual(failed.map((error) => [error, { where: 'event', event: 'x' }]))
  expect(await counts()).toEqual([['event', 'x', 2]])
})

test('the origin is known in what the code leaves behind, and not outside of it', async () => {
  const { errors } = createErrors()
  const origin: Origin = { where: 'event', event: 'x' }
  const known: unknown[] = []
  await new Promise<void>((resolve) => {
    errors.run(origin, () => {
      setTimeout(() => {
        known.push(errors.current)
        resolve()
      })
    })
  })
  expect(known).toEqual([origin])
  expect(errors.current).toBeUndefined()
})

test('a listener for errors is not told of its own', async () => {
  const { errors, counts } = createErrors()
  let calls = 0
  errors.listen(() => {
    calls += 1
    fail()
  })
  errors.listen(async () => {
    calls += 1
    fail()
  })
  errors.report(new Error('failed'), { where: 'http' })
  await new Promise(setImmediate)
  expect(calls).toBe(2)
  expect(await counts()).toEqual([
    ['http', '', 1],
    ['unknown', 'onError', 2],
  ])
})

test('an error without an origin puts the worker in doubt once; with `exit` each error ends it', async () => {
  const { errors, done, counts } = createErrors()
  errors.uncaught(new Error('nobody'))
  errors.uncaught(new Error('again'))
  expect(done).toEqual(['replace: Error: nobody'])
  expect(await counts()).toEqual([['unknown', '', 2]])
  const exiting = createErrors('exit')
  exiting.errors.run({ where: 'event' }, fail)
  exiting.errors.uncaught(new Error('nobody'))
  expect(exiting.done).toEqual(['exit: Error: failed', 'exit: Error: nobody'])
})

test('the labels of the metric have a bound', async () => {
  const { errors, counts } = createErrors()
  for (let index = 0; index < 300; index += 1)
    errors.report(new Error('failed'), { where: 'server', event: `event ${index}` })
  const counted = (await counts()) ?? []
  expect(counted).toHaveLength(101)
  expect(counted.at(-1)).toEqual(['server', 'other', 200])
})

const client = () => 'client'

test('who causes more errors than allowed is held off for a while, and is forgotten among many others', () => {
  let now = 1_000
  const offenders = new Offenders({ registry: new Registry(), now: () => now })
  expect(offenders.heldOffMs(client)).toBe(0)
  for (let error = 1; error <= 10; error += 1) expect(offenders.note('client')).toBe(false)
  expect(offenders.heldOffMs(client)).toBe(0)
  expect(offenders.note('client')).toBe(true)
  // Errors of connections that are just being closed.
  expect(offenders.note('client')).toBe(false)
  expect(offenders.heldOffMs(client)).toBe(offenders.holdOffMs)
  expect(offenders.heldOffMs(() => 'other')).toBe(0)
  now += offenders.holdOffMs
  expect(offenders.heldOffMs(client)).toBe(0)
  for (let error = 1; error <= 6; error += 1) expect(offenders.note('client')).toBe(false)
  expect(offenders.note('client')).toBe(true)
  for (let index = 0; index < 10_000; index += 1) offenders.note(`client ${index}`)
  expect(offenders.heldOffMs(client)).toBe(0)
})
