/** A person who uses the page through what is visible or announced by a screen reader. */
import type { Locator, Page } from 'playwright-core'
import { until } from '../until.ts'
import type { Chromium, OpenPage, PageOptions } from './page.ts'

export interface PersonOptions extends PageOptions {
  name: string
  /** The room of the link that is opened; the page's default if undefined. */
  room?: string
}

export class Person {
  readonly name: string
  readonly opened: OpenPage
  readonly page: Page

  constructor(name: string, opened: OpenPage) {
    this.name = name
    this.opened = opened
    this.page = opened.page
  }

  /** Opens the page for the first time, enters a name, and waits for the composer. */
  static async enter(browser: Chromium, { name, room, url, ...options }: PersonOptions): Promise<Person> {
    const link = room === undefined ? url : new URL(`#/room/${room}`, url).href
    const person = new Person(name, await browser.openPage({ url: link, ...options }))
    await person.nameField.fill(name)
    await person.nameField.press('Enter')
    await person.composer.waitFor()
    return person
  }

  get nameField(): Locator {
    return this.page.getByRole('textbox', { name: 'What should people call you?' })
  }

  get findField(): Locator {
    return this.page.getByRole('textbox', { name: 'Find a room or a person, or name a new room' })
  }

  get composer(): Locator {
    return this.page.getByRole('textbox', { name: /^(Message |Edit your message$)/ })
  }

  get log(): Locator {
    return this.page.getByRole('log')
  }

  get messages(): Locator {
    return this.log.getByRole('article')
  }

  /** The messages with exactly this text, edited or not. */
  message(text: string): Locator {
    const whole = new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}(edited)?$`)
    return this.messages.filter({ has: this.page.locator('.message-text').filter({ hasText: whole }) })
  }

  /** The texts of the messages, from top to bottom. */
  async texts(): Promise<string[]> {
    const texts = await this.log.locator('.message-text').allTextContents()
    return texts.map((text) => text.replace(/edited$/, '').trim())
  }

  /** The item of a room or person in the list. */
  line(title: string): Locator {
    return this.page
      .getByRole('navigation')
      .getByRole('listitem')
      .filter({ hasText: title })
      .getByRole('link')
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text)
    await this.composer.press('Enter')
  }

  /** Keeps typing until the others see it, because the typing state is shown for a few seconds only. */
  async writesUntil(noticed: () => Promise<boolean>): Promise<void> {
    await until(async () => {
      await this.composer.pressSequentially('m')
      return noticed()
    }, `the others see that ${this.name} is typing`)
  }

  async sees(text: string): Promise<void> {
    await this.message(text).first().waitFor()
  }

  /** Joins or creates a room. */
  async goTo(room: string): Promise<void> {
    await this.findField.fill(`#${room}`)
    await this.findField.press('Enter')
    await this.heading(room).waitFor()
  }

  heading(title: string): Locator {
    const name = new RegExp(`^(# ?)?${title}$`)
    return this.page.getByRole('main').getByRole('heading', { name, level: 2 })
  }
}
