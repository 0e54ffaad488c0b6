import { beforeEach, expect, test } from 'vitest'

import { Connection } from './connection.ts'
import type { Ports, WireHandlers } from './connection.ts'

/** A browser whose time stands still until the test lets it pass. */
class Browser implements Ports {
  time = 0
  urls: string[] = []
  handlers: WireHandlers | null = null
  timers: { at: number; callback: () => void }[] = []

  open(url: string, handlers: WireHandlers): { close(): void } {
    this.urls.push(url.replace('http://host/api/live', ''))
    this.handlers = handlers
    return {
      close: () => {
        if (this.handlers === handlers) this.handlers = null
      },
    }
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.time + ms, callback }
    this.timers.push(timer)
    return () => {
      this.timers = this.timers.filter((one) => one !== timer)
    }
  }

  now(): number {
    return this.time
  }

  pass(ms: number): void {
    this.time += ms
    for (const timer of this.timers.filter((one) => one.at <= this.time)) {
      this.timers = this.timers.filter((one) => one !== timer)
      timer.callback()
    }
  }

  say(type: string, data: object, id = ''): void {
    this.handlers?.message(type, JSON.stringify(data), id)
  }

  hello(last: number, journal = 'one'): void {
    this.say('hello', { journal_id: journal, epoch: 1, last_seq: last })
  }
}

let browser: Browser
let connection: Connection
let states: string[]
let messages: string[]

beforeEach(() => {
  browser = new Browser()
  states = []
  messages = []
  connection = new Connection('http://host/api/live', browser, {
    state: ({ kind }) => states.push(kind),
    message: ({ type, data }) => messages.push(`${type} ${data}`),
  })
  connection.start()
})

test('it is open once the recorder has said hello', () => {
  expect(states).toEqual(['connecting'])
  browser.handlers?.opened()
  expect(states).toEqual(['connecting'])
  browser.hello(7)
  expect(states).toEqual(['connecting', 'open'])
  expect(connection.position).toBe(7)
})

test('it resumes after the last number, with waits that grow up to two seconds', () => {
  browser.hello(7)
  browser.say('batch', { from: 7, to: 9 }, '9')
  const waits = [250, 500, 1000, 2000, 2000]
  for (const [index, wait] of waits.entries()) {
    browser.handlers?.failed()
    browser.pass(wait - 1)
    expect(browser.urls).toHaveLength(1 + index)
    browser.pass(1)
    expect(browser.urls.at(-1)).toBe('?after=9')
  }
  expect(states).toEqual(['connecting', 'open', 'offline'])
})

test('after an answer the waits begin anew', () => {
  browser.handlers?.failed()
  browser.pass(250)
  browser.hello(7)
  browser.handlers?.failed()
  browser.pass(250)
  expect(browser.urls).toHaveLength(3)
})

test('silence is noticed, and a word within the time is enough', () => {
  browser.hello(7)
  browser.pass(19_999)
  browser.say('heartbeat', {}, '7')
  browser.pass(19_999)
  expect(states.at(-1)).toBe('open')
  browser.pass(1)
  expect(states.at(-1)).toBe('offline')
})

test('a connection that never opens is given up in time', () => {
  browser.pass(20_000)
  expect(states.at(-1)).toBe('offline')
})

test('offline is told once, with the time of the first failure', () => {
  browser.hello(7)
  browser.pass(1000)
  browser.handlers?.failed()
  browser.pass(250)
  browser.handlers?.failed()
  expect(states).toEqual(['connecting', 'open', 'offline'])
  expect(connection.state.since).toBe(1000)
})

test('a reset moves the position, back as well', () => {
  browser.hello(7)
  browser.say('batch', { from: 7, to: 900 }, '900')
  browser.say('reset', { reason: 'lost', last_seq: 40 })
  expect(connection.position).toBe(40)
})

test('another journal under the same address voids what is known', () => {
  browser.hello(7)
  browser.handlers?.failed()
  browser.pass(250)
  browser.hello(5000, 'two')
  expect(messages.at(-2)).toBe('reset {"reason":"another_journal","last_seq":5000}')
  expect(messages.at(-1)).toContain('hello')
  expect(connection.position).toBe(5000)
})

test('an id that is no number does not move the position', () => {
  browser.hello(7)
  browser.say('durable', { durable_seq: 3 }, 'x')
  browser.say('durable', { durable_seq: 3 })
  expect(connection.position).toBe(7)
})

test('stopped, it stays away, and goes on where it was', () => {
  browser.hello(7)
  connection.stop()
  browser.pass(60_000)
  expect(browser.urls).toHaveLength(1)
  connection.start()
  expect(browser.urls.at(-1)).toBe('?after=7')
})
