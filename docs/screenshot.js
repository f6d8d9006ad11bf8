/**
 * Takes the picture in README.md: starts Rookery on its own directory, lets a few people talk, and opens the page in
 * Chromium. `npm run screenshot [-- <file>]`; CHROMIUM names another browser than Debian's.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { chromium } from 'playwright-core'
import { Registry } from 'prom-client'
import { guestId } from '../dist/chat/auth/guest.js'
import { connectChat, directRoom } from '../dist/client/index.js'
import { openEmbeddedLog } from '../dist/log/embedded-log.js'

const FILE = process.argv[2] ?? fileURLToPath(new URL('chat.webp', import.meta.url))
const WINDOW = { width: 1320, height: 840 }
const SCALE = 1.5
const QUALITY = 0.82
const MINUTE_MS = 60_000

const VIEWER = 'Sam'
const ROOM = 'release'
const PEOPLE = ['Priya Raman', 'Jonas Weber', 'Mei Tanaka', 'Amara Diallo', 'Leo Martins']

/** Messages from before the page is opened: minutes ago, author, text. */
const EARLIER = [
  [52, 'Priya Raman', 'Hello all! 2.4 is frozen since last night. What is left before we tag it?'],
  [49, 'Jonas Weber', 'On my side: the changelog, and the importer test that fails on slow machines'],
  [46, 'Mei Tanaka', 'I looked into that one yesterday. It waits for a file instead of for the event:'],
  [46, 'Mei Tanaka', "```ts\nawait once(importer, 'done')\nexpect(await rows.count()).toBe(1_200)\n```"],
  [45, 'Mei Tanaka', 'With this it passed 500 times in a row 🎉'],
  [31, 'Jonas Weber', 'Lovely, then only the changelog is left'],
  [12, 'Amara Diallo', 'The new settings have their page: https://docs.example.org/2.4/settings'],
]
const ANSWER = 'Read them just now, very clear. I left two remarks about `RETENTION_DAYS`'
const REPLY = ['Priya Raman', 'Thank you both! @Sam can you try the upgrade from 2.2 once more, on staging?']
const ELSEWHERE = [
  ['Jonas Weber', 'support', 'Does the export work with more than a million rows?'],
  ['Mei Tanaka', 'support', 'It does, it takes about four minutes'],
  ['Amara Diallo', 'design', '@Sam which of the two blues do you like more?'],
]
const PRIVATELY = ['Mei Tanaka', 'Coffee before the stand-up?']

/** The colours of the avatars follow from the key. These keys give colours that differ clearly. */
const keyOf = (name) => `${name}, who is seen in the README’s picture`

async function writeEarlier(directory) {
  let now = 0
  const log = await openEmbeddedLog({
    directory,
    retention: { messages: Number.POSITIVE_INFINITY, days: Number.POSITIVE_INFINITY },
    clock: () => now,
    logger: pino({ level: 'silent' }),
    registry: new Registry(),
  })
  for (const [index, [minutesAgo, name, text]] of EARLIER.entries()) {
    now = Date.now() - minutesAgo * MINUTE_MS
    const from = { id: guestId(keyOf(name)), name }
    await log.append(ROOM, { kind: 'text', id: `earlier-${index}`, from, text })
  }
  await log.close()
}

async function startProduct(directory) {
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
  const settings = { PORT: '0', ADMIN_PORT: '0', HOST: '127.0.0.1', WORKERS: '2', LOG_FORMAT: 'json' }
  const product = spawn(process.execPath, [main, 'start'], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: directory, ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => {
    product.once('exit', resolve)
  })
  const stop = async () => {
    product.kill('SIGTERM')
    await ended
  }
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: product.stdout }).on('line', (line) => {
      const { msg, port } = JSON.parse(line)
      if (msg === 'ready') resolve(`http://127.0.0.1:${port}`)
    })
    product.once('exit', (code) => reject(new Error(`the product ended with ${code}`)))
  })
  return { url, stop }
}

async function enterAll(url) {
  const chats = new Map(PEOPLE.map((name) => [name, connectChat({ url, auth: { name, key: keyOf(name) } })]))
  await Promise.all([...chats.values()].map((chat) => chat.join(ROOM).live()))
  return chats
}

async function say(chats, [name, room, text]) {
  await chats.get(name).join(room).send(text).settled
}

/** Signs in and opens the other rooms once, so that they are in the list. */
async function enterViewer(page, url) {
  await page.goto(`${url}/#/room/${ROOM}`)
  await page.getByRole('textbox', { name: 'What should people call you?' }).fill(VIEWER)
  await page.keyboard.press('Enter')
  for (const room of ['design', 'lunch', 'support', ROOM]) {
    const find = page.getByRole('textbox', { name: 'Find a room or a person, or name a new room' })
    await find.fill(`#${room}`)
    await find.press('Enter')
    await page.getByRole('textbox', { name: `Message #${room}` }).waitFor()
  }
}

async function talk(page, chats) {
  const composer = page.getByRole('textbox', { name: `Message #${ROOM}` })
  await composer.fill(ANSWER)
  await composer.press('Enter')
  await page.getByText('I left two remarks about').waitFor()
  const amara = chats.get('Amara Diallo').join(ROOM)
  await amara.edit(EARLIER.length, `${EARLIER.at(-1)[2]}, with examples`).settled
  for (const line of ELSEWHERE) await say(chats, line)
  const viewer = amara.members.list.find(({ name }) => name === VIEWER)
  const [friend, words] = PRIVATELY
  await say(chats, [friend, directRoom(guestId(keyOf(friend)), viewer.id), words])
  await say(chats, [REPLY[0], ROOM, REPLY[1]])
  for (const chat of chats.values()) chat.join(ROOM).read(chat.join(ROOM).lastSeq)
  await page.getByText('once more, on staging?').waitFor()
  for (const name of ['design', 'support', friend]) {
    await page
      .getByRole('navigation')
      .getByRole('link', { name })
      .getByText('unread')
      .waitFor({ state: 'attached' })
  }
  chats.get('Jonas Weber').join(ROOM).typing(true)
  await page.getByText('Jonas Weber is typing').waitFor()
}

/** The browser's own WebP encoder makes a quarter of the bytes of a PNG. */
async function compress(browser, png) {
  const page = await browser.newPage()
  const base64 = await page.evaluate(
    `(async () => {
      const picture = new Image()
      picture.src = 'data:image/png;base64,${png.toString('base64')}'
      await picture.decode()
      const canvas = document.createElement('canvas')
      canvas.width = picture.width
      canvas.height = picture.height
      canvas.getContext('2d').drawImage(picture, 0, 0)
      return canvas.toDataURL('image/webp', ${QUALITY}).split(',')[1]
    })()`,
  )
  return Buffer.from(base64, 'base64')
}

async function takePicture(url) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium-headless-shell',
    args: ['--headless=new', '--no-sandbox', '--disable-gpu'],
  })
  const page = await browser.newPage({ viewport: WINDOW, deviceScaleFactor: SCALE, colorScheme: 'light' })
  const chats = await enterAll(url)
  try {
    await enterViewer(page, url)
    await talk(page, chats)
    return await compress(browser, await page.screenshot({ animations: 'disabled', caret: 'hide' }))
  } finally {
    await Promise.all([...chats.values()].map((chat) => chat.close()))
    await browser.close()
  }
}

const directory = await mkdtemp(join(tmpdir(), 'rookery-screenshot-'))
try {
  await writeEarlier(directory)
  const product = await startProduct(directory)
  try {
    const picture = await takePicture(product.url)
    await writeFile(FILE, picture)
    process.stdout.write(`${FILE}: ${Math.round(picture.length / 1024)} kB\n`)
  } finally {
    await product.stop()
  }
} finally {
  await rm(directory, { recursive: true, force: true })
}
